// Messages as servers of chat, presence, markets and records send them: JSON of about a wanted size, each different
// from the one before it, and the same ones in every run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace test {

// splitmix64: every seed gives a good sequence, zero too.
struct Rng {
    uint64_t state = 1;

    uint64_t next() {
        uint64_t z = state += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    uint32_t below(uint32_t n) { return uint32_t((next() >> 32) * n >> 32); }
    // Small numbers more often than large ones, as with words, symbols and users.
    uint32_t skewed(uint32_t n) { return below(below(n) + 1); }
};

namespace json {

template <size_t N>
const char* pick(Rng& rng, const char* const (&list)[N]) {
    return list[rng.skewed(N)];
}

constexpr const char* kWords[] = {
    "the",     "to",         "and",        "is",       "it",        "we",        "you",      "that",      "for",
    "of",      "in",         "on",         "not",      "can",       "this",      "have",     "with",      "just",
    "at",      "be",         "ok",         "so",       "do",        "but",       "what",     "if",        "release",
    "when",    "tomorrow",   "build",      "review",   "think",     "done",      "meeting",  "please",    "check",
    "thanks",  "version",    "again",      "still",    "server",    "broken",    "deploy",   "yesterday", "looks",
    "good",    "better",     "question",   "customer", "after",     "before",    "maybe",    "könnte",    "schön",
    "größer",  "être",       "déjà",       "mañana",   "señal",     "привет",    "сделано",  "почему",    "明日",
    "会議",    "確認",       "ありがとう", "👍",        "😀",         "→",         "…",        "branch",    "latency",
    "between", "everything", "probably",   "somebody", "weekend",   "configure", "monitor",  "graph",     "minutes",
    "holiday", "failure",    "rollback",   "document", "signature", "invoice",   "schedule", "payment",   "estimate"};
constexpr const char* kNames[] = {"Anna Keller",   "José Álvarez", "Mia Wong",     "Liam O'Neill",    "Zoë Müller",
                                  "Ивана Петрова", "Tom Baker",    "Yuki Tanaka",  "Fatima al-Sayed", "Olivier Lefèvre",
                                  "Grace Hall",    "Piotr Wójcik", "Sofia Rossi",  "Chen Wei",        "Noah Schmidt",
                                  "Ada Nilsson",   "Kofi Mensah",  "Lena Fischer", "Raj Patel",       "Emma Dubois"};
constexpr const char* kRooms[] = {"general", "random", "ops", "release-train", "support", "design", "büro", "lunch"};
constexpr const char* kStates[] = {"online", "away", "typing", "offline", "busy"};
constexpr const char* kDevices[] = {"web", "ios", "android", "desktop"};
constexpr const char* kMarkets[] = {"BTC-USD", "ETH-USD", "EUR-USD", "SOL-EUR", "AAPL", "MSFT",
                                    "GOOG",    "NVDA",    "TSLA",    "XAU-USD", "SAP",  "ASML"};
constexpr const char* kCities[] = {"Berlin", "Paris", "New York", "São Paulo", "Zürich", "Łódź", "Osaka", "Nairobi"};
constexpr const char* kTags[] = {"new", "vip", "trial", "overdue", "beta", "internal", "eu", "archived"};

struct Writer {
    Rng& rng;
    std::string out;
    uint64_t now_ms;

    void text(const char* s) { out += s; }
    void number(uint64_t n) { out += std::to_string(n); }
    void quoted(const char* s) { (out += '"') += s, out += '"'; }
    void real(double value, int digits) {
        char room[40];
        std::snprintf(room, sizeof room, "%.*f", digits, value);
        out += room;
    }
    void hex_digits(unsigned count) {
        for (unsigned i = 0; i < count; i++) out += "0123456789abcdef"[rng.below(16)];
    }
    void uuid() {
        out += '"';
        constexpr std::array<unsigned, 5> kGroups = {8, 4, 4, 4, 12};
        for (size_t i = 0; i < kGroups.size(); i++) {
            if (i) out += '-';
            hex_digits(kGroups[i]);
        }
        out += '"';
    }
    void time() { number(now_ms += rng.skewed(4000)); }
    void prose(size_t bytes) {
        const size_t start = out.size();
        do {
            if (out.size() > start) out += rng.below(9) ? " " : ", ";
            out += pick(rng, kWords);
        } while (out.size() - start < bytes);
    }
};

inline void chat(Writer& w, size_t left) {
    w.text(R"({"type":"chat","id":")");
    w.hex_digits(8);
    w.text(R"(","from":)");
    w.quoted(pick(w.rng, kNames));
    if (left > 120) {
        w.text(R"(,"room":)");
        w.quoted(pick(w.rng, kRooms));
        w.text(R"(,"ts":)");
        w.time();
    }
    w.text(R"(,"text":")");
    w.prose(left > 200 ? 10 + w.rng.skewed(160) : 20 + w.rng.below(50));
    w.text("\"}");
}

inline void presence(Writer& w, size_t) {
    w.text(R"({"type":"presence","user":)");
    w.number(1000 + w.rng.skewed(9000));
    w.text(R"(,"state":)");
    w.quoted(pick(w.rng, kStates));
    w.text(R"(,"device":)");
    w.quoted(pick(w.rng, kDevices));
    w.text(R"(,"since":)");
    w.time();
    w.text("}");
}

inline void tick(Writer& w, size_t) {
    w.text(R"({"s":)");
    w.quoted(pick(w.rng, kMarkets));
    w.text(R"(,"p":)");
    w.real(10 + w.rng.below(6500000) / 100.0, 2);
    w.text(R"(,"q":)");
    w.real(w.rng.skewed(900000) / 10000.0, 4);
    w.text(w.rng.below(2) ? R"(,"side":"buy","t":)" : R"(,"side":"sell","t":)");
    w.time();
    w.text(R"(,"seq":)");
    w.number(w.now_ms / 7 % 100000000);
    w.text("}");
}

inline void record(Writer& w, size_t left) {
    w.text(R"({"id":)");
    if (left > 150) {
        w.uuid();
    } else {
        w.number(w.rng.below(1000000));
    }
    w.text(R"(,"name":)");
    w.quoted(pick(w.rng, kNames));
    w.text(R"(,"active":)");
    w.text(w.rng.below(3) ? "true" : "false");
    w.text(R"(,"score":)");
    w.real(w.rng.below(100000) / 1000.0, 3);
    if (left > 150) {
        w.text(R"(,"address":{"city":)");
        w.quoted(pick(w.rng, kCities));
        w.text(R"(,"zip":")");
        w.number(10000 + w.rng.below(89999));
        w.text(R"(","geo":[)");
        w.real(w.rng.below(180000000) / 1e6 - 90, 6);
        w.text(",");
        w.real(w.rng.below(360000000) / 1e6 - 180, 6);
        w.text(R"(]},"tags":[)");
        for (uint32_t i = 0, n = w.rng.below(4); i < n; i++) {
            if (i) w.text(",");
            w.quoted(pick(w.rng, kTags));
        }
        w.text(w.rng.below(4) ? R"(],"note":null)" : R"(],"note":"seen")");
    }
    w.text("}");
}

inline void rpc(Writer& w, size_t left) {
    w.text(R"({"jsonrpc":"2.0","id":)");
    w.number(w.rng.below(100000));
    w.text(R"(,"result":{"ok":true,"cursor":")");
    w.hex_digits(left > 150 ? 24 : 12);
    w.text(R"(","ms":)");
    w.real(w.rng.skewed(90000) / 1000.0, 3);
    w.text("}}");
}

}  // namespace json

// A message of about `bytes`: one item where that is enough, else an envelope around items, whose kind now and then
// changes in long ones.
inline std::string json_message(Rng& rng, size_t bytes) {
    using Item = void (*)(json::Writer&, size_t left);
    constexpr Item kItems[] = {json::chat, json::presence, json::tick, json::record, json::rpc};
    constexpr const char* kTopics[] = {"history", "presence", "ticks", "records", "batch"};
    const bool one = bytes <= 150;
    uint32_t kind = rng.below(5);
    json::Writer w{rng, {}, uint64_t(1731000000000) + rng.below(1u << 30)};
    w.text(one ? R"({"v":1,"data":)" : R"({"v":1,"topic":)");
    if (!one) {
        w.quoted(kTopics[kind]);
        w.text(R"(,"at":)");
        w.time();
        w.text(R"(,"items":[)");
    }
    for (bool first = true; first || w.out.size() + 60 < bytes; first = false) {
        if (!first) w.text(",");
        kItems[kind](w, bytes - w.out.size());
        if (one) break;
        if (rng.below(50) == 0) kind = rng.below(5);
    }
    w.text(one ? "}" : "]}");
    return w.out;
}

// `count` of them, of about `bytes` each.
inline std::vector<std::string> json_messages(size_t count, size_t bytes, uint64_t seed = 1) {
    Rng rng{seed};
    std::vector<std::string> messages;
    for (size_t i = 0; i < count; i++) messages.push_back(json_message(rng, bytes));
    return messages;
}

}  // namespace test
