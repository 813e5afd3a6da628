#include "server/topics.h"

#include "server/extra.h"
#include "server/prepared.h"
#include "server/server.h"

namespace wsd::server {
namespace {

// What a subscription is found by, as bytes.
struct Pair {
    Topic* topic;
    Conn* conn;
};

struct Subscription {
    HashNode node;      // in Topics::by_pair
    ListNode of_topic;  // in topic->subscribers
    ListNode of_conn;   // in conn->extra->subscriptions
    Pair pair;
};
static_assert(sizeof(Subscription) == 64);  // a walk over a topic touches one line of memory for each

Bytes key_of(const Pair& pair) { return {reinterpret_cast<const uint8_t*>(&pair), sizeof pair}; }

Bytes name_of_node(const HashNode& node) {
    Topic* const topic = WSD_CONTAINER_OF(const_cast<HashNode*>(&node), Topic, node);
    return {topic->name(), topic->name_len};
}

Bytes pair_of_node(const HashNode& node) {
    return key_of(WSD_CONTAINER_OF(const_cast<HashNode*>(&node), Subscription, node)->pair);
}

Topic* find_topic(const Server& server, Bytes name) {
    HashNode* const node = hash_map_find(server.topics.by_name, name);
    return node ? WSD_CONTAINER_OF(node, Topic, node) : nullptr;
}

Topic* make_topic(Server& server, Bytes name) {
    HashMap& map = server.topics.by_name;
    void* const room = mem_alloc(server.mem, Purpose::kTopic, sizeof(Topic) + name.len);
    if (!room) return nullptr;
    Topic* const topic = new (room) Topic;
    topic->name_len = uint8_t(name.len);
    std::memcpy(topic->name(), name.p, name.len);
    if (hash_map_add(map, topic->node, hash_map_hash(map, name))) return topic;
    mem_free(server.mem, Purpose::kTopic, room, sizeof(Topic) + name.len);
    return nullptr;
}

// A topic that nobody has subscribed to costs nothing.
void settle_topic(Server& server, Topic* topic) {
    if (!list_empty(topic->subscribers)) return;
    hash_map_remove(server.topics.by_name, topic->node);
    mem_free(server.mem, Purpose::kTopic, topic, sizeof(Topic) + topic->name_len);
}

Subscription* find_subscription(const Server& server, const Pair& pair) {
    HashNode* const node = hash_map_find(server.topics.by_pair, key_of(pair));
    return node ? WSD_CONTAINER_OF(node, Subscription, node) : nullptr;
}

bool make_subscription(Conn& conn, Extra& extra, Topic* topic) {
    Server& server = *conn.server;
    HashMap& map = server.topics.by_pair;
    void* const room = mem_alloc(server.mem, Purpose::kTopic, sizeof(Subscription));
    if (!room) return false;
    Subscription* const made = new (room) Subscription;
    made->pair = {topic, &conn};
    if (!hash_map_add(map, made->node, hash_map_hash(map, key_of(made->pair)))) {
        mem_free(server.mem, Purpose::kTopic, room, sizeof(Subscription));
        return false;
    }
    list_push_back(topic->subscribers, made->of_topic);
    list_push_back(extra.subscriptions, made->of_conn);
    extra.subscription_count++;
    return true;
}

void drop_subscription(Server& server, Subscription* subscription) {
    Topic* const topic = subscription->pair.topic;
    hash_map_remove(server.topics.by_pair, subscription->node);
    list_unlink(subscription->of_topic);
    list_unlink(subscription->of_conn);
    subscription->pair.conn->extra->subscription_count--;
    mem_free(server.mem, Purpose::kTopic, subscription, sizeof(Subscription));
    settle_topic(server, topic);
}

}  // namespace

void topics_init(Topics& topics, Mem& mem, const HashKey& key) {
    topics.by_name = {&mem, Purpose::kTopic, key, name_of_node};
    topics.by_pair = {&mem, Purpose::kTopic, key, pair_of_node};
}

int topic_subscribe(Conn& conn, Bytes name) {
    Server& server = *conn.server;
    const uint32_t most = server.config.subscription_max_count;
    Topic* topic = find_topic(server, name);
    if (topic && find_subscription(server, {topic, &conn})) return WSD_OK;
    if (most && conn.extra && conn.extra->subscription_count >= most) return WSD_E_LIMIT;
    Extra* const extra = extra_get(conn);
    if (!topic) topic = make_topic(server, name);
    if (extra && topic && make_subscription(conn, *extra, topic)) return WSD_OK;
    if (topic) settle_topic(server, topic);
    extra_settle(conn);
    return WSD_E_NOMEM;
}

int topic_unsubscribe(Conn& conn, Bytes name) {
    Server& server = *conn.server;
    Topic* const topic = find_topic(server, name);
    Subscription* const subscription = topic ? find_subscription(server, {topic, &conn}) : nullptr;
    if (!subscription) return WSD_OK;
    drop_subscription(server, subscription);
    extra_settle(conn);
    return WSD_OK;
}

void topics_leave_all(Conn& conn) {
    if (!conn.extra) return;
    List& subscriptions = conn.extra->subscriptions;
    while (!list_empty(subscriptions)) {
        drop_subscription(*conn.server, WSD_CONTAINER_OF(subscriptions.head.next, Subscription, of_conn));
    }
    extra_settle(conn);
}

int topic_publish(Server& server, Bytes name, const Publication& publication) {
    Topic* const topic = find_topic(server, name);
    if (!topic) return 0;
    wsd_prepared* const prepared = prepared_new(server, publication.opcode, publication.payload);
    if (!prepared) return WSD_E_NOMEM;
    const uint64_t dropped_before = server.stats.sends_dropped;
    uint64_t accepted = 0;
    // Sending calls nobody back, and who is lost by it stays subscribed until the end of the turn: the list stands
    // still.
    for (ListNode* node = topic->subscribers.head.next; node != &topic->subscribers.head; node = node->next) {
        Conn& conn = *WSD_CONTAINER_OF(node, Subscription, of_topic)->pair.conn;
        if (id_of(conn.handle) == publication.except) continue;
        accepted += conn_send_prepared(conn, *prepared, publication.options) == WSD_OK;
    }
    prepared_free(prepared);
    const uint64_t receivers = accepted - (server.stats.sends_dropped - dropped_before);
    server.stats.published_count++;
    server.stats.published_receivers += receivers;
    return int(receivers);
}

}  // namespace wsd::server
