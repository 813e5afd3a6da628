// A store under one directory:
//
//     lock                              held by the server that uses the directory
//     secret                            32 random bytes, for its owner's eyes only
//     sessions/s-ID/definition.json     as it was saved last
//     sessions/s-ID/NUMBER.j1           the session's history (journal_format.h)
//     sessions/s-ID/definition.N.tmp    being written; means nothing at start
//     sessions/x-N                      a session that was removed, to be deleted
//
// An id may be "." or "..", so none stands alone in a path.
#pragma once

#include <memory>
#include <string>

#include "app/hub/store.h"

namespace app::hub {

std::unique_ptr<Store> open_disk_store(const StoreOptions& options, wsd_server* server, StoreLog log,
                                       std::string* error);

}  // namespace app::hub
