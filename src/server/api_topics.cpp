// The C functions of wsd.h about topics: checks and translation only.
#include "server/api.h"
#include "server/server.h"
#include "server/topics.h"

using namespace wsd;
using namespace wsd::server;

namespace {

bool name_ok(wsd_str name) { return name.p && name.len > 0 && name.len <= kTopicNameMax; }

int change(wsd_server* server, wsd_conn id, wsd_str topic, int (*apply)(Conn&, Bytes)) {
    if (!server || !name_ok(topic)) return WSD_E_INVALID;
    Conn* const conn = server->conns.find(id);
    if (!conn || conn->phase > Phase::kOpen) return WSD_E_CLOSED;
    return conn->phase == Phase::kOpen ? apply(*conn, bytes_of(topic)) : int(WSD_E_INVALID);
}

// False for options that make no sense.
bool read_options(const wsd_publish_options* from, Publication* to) {
    if (!from) return true;
    if (!is_sized(*from)) return false;
    const wsd_publish_options known = read_sized(*from, wsd_publish_options{});
    to->except = known.except;
    return read_policy(known.full, known.key, &to->options);
}

}  // namespace

extern "C" int wsd_subscribe(wsd_server* server, wsd_conn conn, wsd_str topic) {
    return change(server, conn, topic, topic_subscribe);
}

extern "C" int wsd_unsubscribe(wsd_server* server, wsd_conn conn, wsd_str topic) {
    return change(server, conn, topic, topic_unsubscribe);
}

extern "C" int wsd_publish(wsd_server* server, wsd_str topic, wsd_opcode opcode, const void* data, size_t len,
                           const wsd_publish_options* options) {
    Publication publication{ws::Opcode(opcode), {static_cast<const uint8_t*>(data), len}, 0, {}};
    const bool message_ok = (opcode == WSD_TEXT || opcode == WSD_BINARY) && (data || !len);
    if (!server || !name_ok(topic) || !message_ok || !read_options(options, &publication)) return WSD_E_INVALID;
    const AsInTurn as_in_turn(*server);
    return topic_publish(*server, bytes_of(topic), publication);
}
