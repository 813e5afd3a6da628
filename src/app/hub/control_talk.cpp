// The control API's calls about what is said in a session, and by whom.
#include <algorithm>
#include <limits>

#include "app/hub/control_call.h"
#include "app/hub/definition.h"
#include "app/hub/fields.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/number.h"

namespace app::hub {
namespace {

Answer wrong_field(std::string_view why) { return refusal(400, "invalid_parameter", why); }

Answer no_such_user(std::string_view message) { return refusal(404, "user_not_found", message); }

// ------------------------------------------------------------------------------------------------------------ messages

struct Message {
    bool notice = false;
    std::string to;
    std::optional<Role> to_role;
    bool ack = false;
    const Json* data = nullptr;
};

bool parse_message(const Json& json, Message* message, std::string* why) {
    Fields fields(json, "", why);
    size_t type = 0;
    size_t role = 0;
    if (fields.word("type", Need::kOptional, {"message", "system_notice"}, &type)) message->notice = type == 1;
    fields.identifier("to", Need::kOptional, &message->to);
    if (fields.word("to_role", Need::kOptional, {"instructor", "student"}, &role)) {
        message->to_role = role ? Role::kStudent : Role::kInstructor;
    }
    fields.flag("ack", &message->ack);
    fields.object("data", Need::kRequired, &message->data);
    if (message->to_role && !message->to.empty()) fields.wrong("to_role", "one receiver is named by `to` already");
    return fields.finish();
}

// ------------------------------------------------------------------------------------------------------------- history

constexpr uint64_t kHistoryLimit = 100;
constexpr uint64_t kHistoryLimitMax = 1000;
constexpr size_t kPieceBytes = 256u << 10;     // read at once
constexpr size_t kHistoryMaxBytes = 8u << 20;  // of an answer, which ends with the message that reaches it

// An answer that grows piece by piece, as the disk delivers.
struct HistoryAnswer {
    Hub* hub = nullptr;
    wsd_conn conn = 0;
    History* history = nullptr;  // there as long as it has not answered with `failed`
    uint64_t next_seq = 0;
    uint64_t last_seq = 0;  // as it was when it was asked for
    uint64_t left = kHistoryLimit;
    size_t bytes = 0;
    JsonWriter messages;
    std::vector<Missing> missing;
};

bool parse_range(std::string_view query, uint64_t* since, uint64_t* limit, std::string* why) {
    std::vector<std::pair<std::string, std::string>> parameters;
    if (!parse_query(query, &parameters)) {
        *why = "the query is malformed";
        return false;
    }
    for (const auto& [name, value] : parameters) {
        if (name == "since" && parse_number(value, since)) continue;
        if (name == "limit" && parse_number(value, limit) && *limit > 0 && *limit <= kHistoryLimitMax) continue;
        *why = name == "since"   ? "since: not a number"
               : name == "limit" ? "limit: not a number from 1 to " + std::to_string(kHistoryLimitMax)
                                 : "the query takes since and limit only";
        return false;
    }
    return true;
}

void send_history(HistoryAnswer& answer) {
    JsonWriter writer;
    writer.begin_object().key("messages").raw(answer.messages.end_array().take());
    writer.key("last_seq").number(answer.last_seq);
    write_missing(answer.missing, &writer);
    send_answer(*answer.hub, answer.conn, {200, writer.end_object().take(), {}, {}});
}

void take_records(HistoryAnswer& answer, const Chunk& chunk) {
    for (const Missing& missing : chunk.missing) answer.missing.push_back(missing);
    for (const std::shared_ptr<const Record>& record : chunk.records) {
        if (!answer.left || answer.bytes >= kHistoryMaxBytes || record->seq > answer.last_seq) break;
        answer.messages.raw(record->text);
        answer.bytes += record->text.size();
        answer.left--;
    }
}

void read_history(const std::shared_ptr<HistoryAnswer>& answer) {
    answer->history->read(answer->next_seq, kPieceBytes, [answer](const Chunk& chunk) {
        if (chunk.failed) {
            const Answer failed = refusal(500, "internal", "the history cannot be read");
            return send_answer(*answer->hub, answer->conn, failed);
        }
        take_records(*answer, chunk);
        const bool is_last = chunk.records.empty() || chunk.next_seq > answer->last_seq;
        if (is_last || !answer->left || answer->bytes >= kHistoryMaxBytes) return send_history(*answer);
        answer->next_seq = chunk.next_seq;
        read_history(answer);
    });
}

}  // namespace

CallResult send_message(ControlCall& call) {
    Message message;
    std::string why;
    if (!parse_message(call.body, &message, &why)) return wrong_field(why);
    if (!message.to.empty() && !find_person(*call.session, message.to)) {
        return no_such_user("to: nobody of that name in this session");
    }
    Draft draft{};
    draft.type = message.notice ? "system_notice" : "message";
    draft.from = kSystemUser;
    draft.to = message.to;
    draft.to_role = message.to_role;
    draft.ack = message.ack;
    draft.data = message.data->text();
    draft.done = [&hub = call.hub, conn = call.conn](uint64_t seq, bool ok) {
        if (!ok) return send_answer(hub, conn, refusal(500, "internal", "the message could not be stored"));
        JsonWriter writer;
        writer.begin_object().key("seq").number(seq);
        send_answer(hub, conn, {200, writer.end_object().take(), {}, {}});
    };
    publish(call.hub, *call.session, draft);
    return std::nullopt;
}

CallResult disconnect_one(ControlCall& call) {
    std::string user_id;
    std::string why;
    Fields fields(call.body, "", &why);
    fields.identifier("user_id", Need::kRequired, &user_id);
    if (!fields.finish()) return wrong_field(why);
    const size_t count = disconnect_user(call.hub, *call.session, user_id);
    if (!count) return no_such_user("user_id: this user is not connected to the session");
    JsonWriter writer;
    writer.begin_object().key("disconnected").number(uint64_t{count});
    return Answer{200, writer.end_object().take(), {}, {}};
}

CallResult show_presence(ControlCall& call) {
    JsonWriter writer;
    writer.begin_object().key("users").raw(presence_users(*call.session));
    return Answer{200, writer.end_object().take(), {}, {}};
}

CallResult show_history(ControlCall& call) {
    uint64_t since = 0;
    uint64_t limit = kHistoryLimit;
    std::string why;
    if (!parse_range(call.query, &since, &limit, &why)) return wrong_field(why);
    const auto answer = std::make_shared<HistoryAnswer>();
    answer->hub = &call.hub;
    answer->conn = call.conn;
    answer->history = call.session->history.get();
    answer->last_seq = answer->history->last_seq();
    answer->left = limit;
    answer->messages.begin_array();
    if (since >= answer->last_seq) {
        send_history(*answer);
        return std::nullopt;
    }
    answer->next_seq = since + 1;
    read_history(answer);
    return std::nullopt;
}

CallResult show_progress(ControlCall& call) {
    JsonWriter writer;
    call.session->votes.write_progress(call.session->members, &writer);
    return Answer{200, writer.take(), {}, {}};
}

}  // namespace app::hub
