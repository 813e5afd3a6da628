#include "app/hub/query.h"

#include <algorithm>
#include <charconv>

namespace app::hub {
namespace {

bool decode(std::string_view text, std::string* decoded) {
    for (size_t at = 0; at < text.size(); at++) {
        if (text[at] != '%') {
            *decoded += text[at] == '+' ? ' ' : text[at];
            continue;
        }
        unsigned char byte = 0;
        const std::string_view digits = text.substr(at + 1, 2);
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (failure != std::errc{} || digits.size() != 2 || end != digits.data() + 2) return false;
        *decoded += char(byte);
        at += 2;
    }
    return true;
}

bool add_parameter(std::string_view text, Parameters* parameters) {
    const size_t equals = std::min(text.find('='), text.size());
    std::pair<std::string, std::string> one;
    if (!decode(text.substr(0, equals), &one.first)) return false;
    if (equals < text.size() && !decode(text.substr(equals + 1), &one.second)) return false;
    // Whoever reads the same request elsewhere may take the other one.
    if (find_parameter(*parameters, one.first) || parameters->size() == kParameterMaxCount) return false;
    parameters->push_back(std::move(one));
    return true;
}

}  // namespace

bool parse_query(std::string_view query, Parameters* parameters) {
    parameters->clear();
    while (!query.empty()) {
        const size_t end = std::min(query.find('&'), query.size());
        if (end > 0 && !add_parameter(query.substr(0, end), parameters)) return false;
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return true;
}

const std::string* find_parameter(const Parameters& parameters, std::string_view name) {
    for (const auto& [known, value] : parameters) {
        if (known == name) return &value;
    }
    return nullptr;
}

}  // namespace app::hub
