// Acknowledged delivery: who has yet to confirm a message, sending it again on the timer, and telling its sender. A
// message is sent again three times; when it has not been confirmed one interval after the last, it has failed.
#pragma once

#include "app/hub/hub.h"

namespace app::hub {

// A message that asks for it has been committed: from here on its receivers are waited for. Those are the user it is
// for, online or not, else all who are online and addressed; never its sender. Where there are none, the sender is told
// at once that it was delivered.
void await_acks(Hub& hub, Session& session, std::shared_ptr<const Record> record, std::string_view id);

// A user confirms. What is not waited for, or not any more, is no error: acks cross retries.
void take_ack(Hub& hub, Session& session, std::string_view user_id, uint64_t seq);

// A session ends: nobody waits any more.
void forget_deliveries(Hub& hub, Session& session);

}  // namespace app::hub
