// What the messages of a run say: `size` bytes, always the same for the same size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wsbench {

enum class Content : uint8_t { kBinary, kAscii, kUtf8 };

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
    }
    return {};
}

}  // namespace wsbench
