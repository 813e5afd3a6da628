// What the messages of a run say: `size` bytes, always the same for the same size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wsbench {

enum class Content : uint8_t { kBinary, kAscii, kUtf8, kJson };

// UTF-8 without a single ASCII character, except in a text of one byte: characters of two and three bytes in no order
// that a validator could learn, so that none of its short cuts apply.
inline std::string utf8_text(size_t size) {
    static constexpr const char* kTwoBytes[] = {"ж", "é", "ω", "ß", "ש", "ñ", "я", "ÿ"};
    static constexpr const char* kThreeBytes[] = {"語", "한", "€", "ह", "字", "あ", "ก", "�"};
    std::string text;
    text.reserve(size);
    uint32_t random = 1;
    while (text.size() + 1 < size) {
        random = random * 1664525 + 1013904223;
        const size_t left = size - text.size();
        // All but one byte can be filled with twos and threes: never leave one.
        const bool three = left == 3 || (left > 4 && (random >> 31));
        const size_t which = random >> 28 & 7;
        text += three ? kThreeBytes[which] : kTwoBytes[which];
    }
    if (text.size() < size) text += 'x';
    return text;
}

inline std::string ascii_text(size_t size) {
    static constexpr char kText[] = "The quick brown fox jumps over the lazy dog. ";
    std::string text(size, '\0');
    for (size_t i = 0; i < size; i++) text[i] = kText[i % (sizeof kText - 1)];
    return text;
}

// Records as an API sends them, no two the same, cut where the size is reached.
inline std::string json_text(size_t size) {
    static constexpr const char* kNames[] = {"Anna Berg", "Juergen Wolf", "Mei Tanaka", "Omar Haddad", "Ines Costa"};
    static constexpr const char* kStates[] = {"open", "paid", "shipped", "returned"};
    std::string text = "[";
    uint32_t random = 1;
    while (text.size() < size) {
        random = random * 1664525 + 1013904223;
        if (text.size() > 1) text += ',';
        text += R"({"id":)" + std::to_string(random >> 8) + R"(,"user":")" + kNames[(random >> 16) % 5] +
                R"(","state":")" + kStates[random >> 30] + R"(","total":)" + std::to_string((random >> 12) % 10000) +
                '.' + std::to_string(10 + (random >> 20) % 90) + R"(,"items":[)" + std::to_string(random >> 27) + ',' +
                std::to_string(random >> 25) + R"(],"at":17320)" + std::to_string(10000 + random % 90000) + '}';
    }
    text.resize(size);
    return text;
}

inline std::string binary_bytes(size_t size) {
    std::string bytes(size, '\0');
    uint32_t random = 1;
    for (char& byte : bytes) byte = char((random = random * 1664525 + 1013904223) >> 24);
    return bytes;
}

inline std::string payload_of(Content content, size_t size) {
    switch (content) {
        case Content::kBinary: return binary_bytes(size);
        case Content::kAscii: return ascii_text(size);
        case Content::kUtf8: return utf8_text(size);
        case Content::kJson: return json_text(size);
    }
    return {};
}

}  // namespace wsbench
