// Any bytes as a message of a client. A refusal says why and leaves no id but a good one; what is taken and written as
// the server's own reads to the same; and whatever bytes stand in the fields, envelopes, retries and errors that are
// written are JSON. No byte outside the input is touched (every text ends before a page nobody may read).
#include <cstdlib>
#include <string>

#include "app/hub/envelope.h"
#include "app/utf8.h"
#include "support/guard_page.h"

using namespace app;
using namespace app::hub;

namespace {

constexpr size_t kInputMax = 4096;

void require(bool condition) {
    if (!condition) std::abort();
}

Json parsed(std::string_view text) {
    Json json;
    JsonError error;
    // One level more than a client may use: what it sent as a whole is within `data` now.
    require(parse_json(text, {text.size(), kEnvelopeMaxDepth + 1}, &json, &error));
    require(json.is(JsonType::kObject));
    return json;
}

void check_error(std::string_view id, const Failure& failure) {
    require(!failure.message.empty());
    const std::string text = write_error(id, failure);
    const Json error = parsed(text);
    require(error.find("data")->find("code")->string() == error_name(failure.code));
    require(!error.find("id") == id.empty());
}

void check_again(const Incoming& incoming) {
    Outgoing outgoing;
    outgoing.type = incoming.type;
    outgoing.seq = incoming.seq;
    outgoing.id = incoming.id;
    outgoing.to = incoming.to;
    outgoing.to_role = incoming.to_role;
    outgoing.ack = incoming.ack;
    outgoing.time_ms = 1;
    outgoing.data = incoming.data ? incoming.data->text() : std::string_view();
    const std::string text = write_envelope(outgoing);
    Incoming again;
    Failure failure;
    require(parse_incoming(text, &again, &failure));
    require(again.type == incoming.type && again.id == incoming.id && again.to == incoming.to);
    require(again.to_role == incoming.to_role && again.ack == incoming.ack && again.seq == incoming.seq);
    require(again.data && (!incoming.data || again.data->text() == incoming.data->text()));

    const std::string retry = with_retry(text, 3);
    const Json json = parsed(retry);
    require(json.find("retry")->integer() == 3 && json.members().size() == again.body.members().size() + 1);
}

void check_any_fields(std::string_view bytes) {
    Outgoing outgoing;
    outgoing.type = outgoing.id = outgoing.session_id = outgoing.from = outgoing.to = bytes;
    const std::string text = write_envelope(outgoing);
    require(parsed(text).find("data")->members().empty());
    check_error(bytes, {ErrorCode::kRateLimited, std::string(bytes) + "!", double(bytes.size()) / 7});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > kInputMax) return 0;
    static test::GuardPage page(kInputMax);
    const std::string_view text(reinterpret_cast<const char*>(page.before_end(data, size)), size);
    check_any_fields(text);

    Incoming incoming;
    Failure failure;
    const bool good = parse_incoming(text, &incoming, &failure);
    require(utf8_count(incoming.id) <= kIdMaxChars);
    if (good) {
        require(!incoming.type.empty() && (incoming.to.empty() || !incoming.to_role));
        require((incoming.seq != 0) == (incoming.type == "ack"));
        check_again(incoming);
    } else {
        require(failure.code == ErrorCode::kInvalidJson || failure.code == ErrorCode::kInvalidMessage);
        check_error(incoming.id, failure);
    }
    return 0;
}
