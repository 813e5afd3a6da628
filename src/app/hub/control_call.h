// What the calls of the control API share: one call on its way, and its answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/hub/hub.h"
#include "app/json.h"

namespace app::hub {

struct Answer {
    int status = 200;
    std::string body;      // JSON; empty: none
    std::string location;  // empty: none
    std::string allow;     // empty: none
};

// With error_body().
Answer refusal(int status, std::string_view code, std::string_view message);
Answer no_such_session();

// Answers the request that waits on a connection; if that has gone, nobody is answered.
void send_answer(const Hub& hub, wsd_conn conn, const Answer& answer);

struct ControlCall {
    Hub& hub;
    wsd_conn conn;
    std::string_view query;
    Session* session = nullptr;  // that the path names; null where it names none
    Json body;                   // of POST and PATCH
};

// None: it is answered later, when the store or the disk has said what came of it.
using CallResult = std::optional<Answer>;

// control_sessions.cpp
CallResult list_sessions(ControlCall& call);
CallResult create_session(ControlCall& call);
CallResult show_session(ControlCall& call);
CallResult patch_session(ControlCall& call);
CallResult delete_session(ControlCall& call);

// control_talk.cpp
CallResult send_message(ControlCall& call);
CallResult disconnect_one(ControlCall& call);
CallResult show_presence(ControlCall& call);
CallResult show_history(ControlCall& call);
CallResult show_progress(ControlCall& call);

// control_stats.cpp
CallResult show_stats(ControlCall& call);

}  // namespace app::hub
