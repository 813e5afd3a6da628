#include "app/hub/delivery.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/hub/outbox.h"
#include "app/hub/registry.h"
#include "app/hub/room.h"
#include "app/json_writer.h"

namespace app::hub {
namespace {

constexpr unsigned kRetryMax = 3;

std::unordered_set<std::string> receivers(const Session& session, const Route& route) {
    std::unordered_set<std::string> users;
    if (!route.to.empty()) {
        if (route.to != route.from) users.insert(route.to);
        return users;
    }
    for (const Connection* const connection : session.connections) {
        const bool addressed = !route.to_role || connection->role == *route.to_role;
        if (addressed && connection->person->user_id != route.from) users.insert(connection->person->user_id);
    }
    return users;
}

// What became of a message goes to its sender's connections, as many as there are now.
void tell_sender(Hub& hub, const Delivery& delivery, std::string_view data) {
    Session& session = *delivery.session;
    const Person* const sender = find_person(session, delivery.record->route.from);
    if (!sender) return;
    Outgoing out = message_of(session, "status", data);
    out.id = delivery.id;
    const std::string envelope = write_envelope(out);
    for (Connection* const connection : sender->connections) answer(hub, *connection, envelope);
}

void tell_delivered(Hub& hub, const Delivery& delivery) {
    JsonWriter data;
    data.begin_object().key("event").string("delivered").key("seq").number(delivery.record->seq).end_object();
    tell_sender(hub, delivery, data.take());
}

void tell_failed(Hub& hub, const Delivery& delivery) {
    std::vector<std::string_view> users(delivery.waiting.begin(), delivery.waiting.end());
    std::sort(users.begin(), users.end());
    JsonWriter data;
    data.begin_object().key("event").string("delivery_failed").key("seq").number(delivery.record->seq);
    data.key("to").begin_array();
    for (const std::string_view user : users) data.string(user);
    tell_sender(hub, delivery, data.end_array().end_object().take());
}

void send_again(Hub& hub, const Delivery& delivery) {
    const Record& record = *delivery.record;
    const std::string envelope = with_retry(record.text, delivery.retries);
    for (const std::string& user_id : delivery.waiting) {
        const Person* const person = find_person(*delivery.session, user_id);
        if (!person) continue;
        for (Connection* const connection : person->connections) {
            // Who is not live has the message itself still to come, or no room for it.
            if (connection->live && may_see(record.route, connection->role, user_id)) {
                (void)send_now(hub, *connection, envelope);
            }
        }
    }
}

void retry(wsd_server*, void* arg);

// Without memory for a timer the message is given up: nobody would look at it again.
bool start_timer(Delivery& delivery) {
    const Hub& hub = *delivery.hub;
    return wsd_timer_start(hub.server, hub.options.retry_interval_ms, retry, &delivery, &delivery.timer) == WSD_OK;
}

void retry(wsd_server*, void* arg) {
    Delivery& delivery = *static_cast<Delivery*>(arg);
    Hub& hub = *delivery.hub;
    delivery.timer = 0;
    if (delivery.retries < kRetryMax) {
        delivery.retries++;
        send_again(hub, delivery);
        if (start_timer(delivery)) return;
    }
    tell_failed(hub, delivery);
    delivery.session->deliveries.erase(delivery.record->seq);
}

}  // namespace

void await_acks(Hub& hub, Session& session, std::shared_ptr<const Record> record, std::string_view id) {
    auto delivery = std::make_unique<Delivery>();
    delivery->hub = &hub;
    delivery->session = &session;
    delivery->id = id;
    delivery->waiting = receivers(session, record->route);
    delivery->record = std::move(record);
    if (delivery->waiting.empty()) return tell_delivered(hub, *delivery);
    if (!start_timer(*delivery)) return tell_failed(hub, *delivery);
    const uint64_t seq = delivery->record->seq;
    session.deliveries.emplace(seq, std::move(delivery));
}

void take_ack(Hub& hub, Session& session, std::string_view user_id, uint64_t seq) {
    const auto found = session.deliveries.find(seq);
    if (found == session.deliveries.end()) return;
    Delivery& delivery = *found->second;
    delivery.waiting.erase(std::string(user_id));
    if (!delivery.waiting.empty()) return;
    (void)wsd_timer_stop(hub.server, delivery.timer);
    tell_delivered(hub, delivery);
    session.deliveries.erase(found);
}

void forget_deliveries(Hub& hub, Session& session) {
    for (const auto& [seq, delivery] : session.deliveries) (void)wsd_timer_stop(hub.server, delivery->timer);
    session.deliveries.clear();
}

}  // namespace app::hub
