// Topics: names under which connections receive what is published. A topic exists while it has subscribers; what is
// published to it is built once, and every receiver's queue refers to that, or copies it where that is less.
#pragma once

#include "base/hash_map.h"
#include "server/conn.h"

namespace wsd::server {

constexpr size_t kTopicNameMax = WSD_TOPIC_MAX_BYTES;

struct Topic {
    HashNode node;     // in Topics::by_name
    List subscribers;  // Subscription::of_topic, in the order they came; never empty between two calls
    uint8_t name_len = 0;

    uint8_t* name() { return reinterpret_cast<uint8_t*>(this + 1); }
};
static_assert(kTopicNameMax <= UINT8_MAX);

struct Topics {
    HashMap by_name;  // Topic::node
    HashMap by_pair;  // Subscription::node, so that leaving one of many topics need not look through the others
};

void topics_init(Topics& topics, Mem& mem, const HashKey& key);

// wsd_subscribe() and wsd_unsubscribe(), for a connection that is open.
[[nodiscard]] int topic_subscribe(Conn& conn, Bytes name);
[[nodiscard]] int topic_unsubscribe(Conn& conn, Bytes name);

// The connection is over.
void topics_leave_all(Conn& conn);

struct Publication {
    ws::Opcode opcode;
    Bytes payload;
    wsd_conn except = 0;  // is passed over
    SendOptions options;
};

// Queues it for every subscriber. The number of those that took it, or a negative wsd_result.
[[nodiscard]] int topic_publish(Server& server, Bytes name, const Publication& publication);

}  // namespace wsd::server
