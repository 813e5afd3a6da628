// Who is where: entering, leaving, and ending sessions. All of it takes the same time however many there are.
#pragma once

#include "app/hub/hub.h"

namespace app::hub {

// Null where there is none, or it has ended.
Session* find_session(Hub& hub, std::string_view id);
Person* find_person(Session& session, std::string_view user_id);
Person& need_person(Session& session, std::string_view user_id);  // makes one where there is none
Connection* find_connection(Hub& hub, wsd_conn conn);

// Lets somebody in, or says why not: as the session, its members and its status have it. With `session` set the upgrade
// may be accepted, and enter() follows at on_open.
[[nodiscard]] std::optional<Refusal> admit(Hub& hub, const Entry& entry, Session** session);

// A connection has opened: it is registered, an earlier one of its user replaced where the session has one for each,
// others are told, and it gets its welcome, history and presence. It is the hub's until leave(). Null where the session
// has ended since admit(), or there is no memory: the connection has then been closed.
Connection* enter(Hub& hub, Session& session, wsd_conn conn, const Entry& entry);

// Why a connection is not there any more, as `attendee_left` says of a user's last. A connection that makes room for a
// newer one of its user is never that, so that others see kReplaced only where the newer one is gone before.
enum class LeaveReason : uint8_t { kLeft, kReplaced, kTimeout, kError, kKicked, kSlow };

const char* leave_reason_name(LeaveReason reason);

// What a close comes to for the others: kLeft for who said so and for a server that shuts down, kTimeout for who was
// silent, kSlow for who did not take what was queued, and else kError.
LeaveReason leave_reason(const wsd_close_info& info);

// At its on_close; frees it. Others are told where it was its user's last.
void leave(Hub& hub, Connection* connection, LeaveReason reason);

// Somebody may have left, or the list: who is neither there nor on it is remembered for a while only, as anybody may
// come as an instructor where the query is believed. Frees people, maybe this one.
void forget_guests(Hub& hub, Session& session, Person& person);

// Closes one, and counts it as gone at once, so that nobody is sent what nobody gets. on_close frees it.
void disconnect(Hub& hub, Connection& connection, uint16_t code, std::string_view why, LeaveReason reason);

// Closes all connections of a user with 4003. Returns how many.
size_t disconnect_user(Hub& hub, Session& session, std::string_view user_id);

// Tells everyone, closes with 4002, and frees the session once its last connection is gone; its history at once. The
// store is not touched.
void end_session(Hub& hub, Session& session);

// Sends the welcome again, as `join_session` asks for.
void send_welcome(Hub& hub, Connection& connection, bool resumed);

// The snapshot of everyone who is online, as `data.users` and as the control API has it; with `gone` also of those who
// have been.
std::string presence_users(const Session& session, bool gone = false);

// A person's first connection has come, the last has gone, or the role in which it is shown is another: others hear of
// it at the end of the turn.
void presence_changed(Hub& hub, Session& session, const Person& person);

// A token bucket's verdict about one more message of a user; 0: taken, else seconds until the next is.
double take_token(Hub& hub, std::string_view user_id, uint64_t now_ms);

}  // namespace app::hub
