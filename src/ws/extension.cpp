#include "ws/extension.h"

#include "http/grammar.h"

namespace wsd::ws {
namespace {

void skip_blanks(Bytes* in) {
    while (in->len && (in->p[0] == ' ' || in->p[0] == '\t')) *in = drop(*in, 1);
}

bool skip_byte(Bytes* in, uint8_t byte) {
    skip_blanks(in);
    if (in->len == 0 || in->p[0] != byte) return false;
    *in = drop(*in, 1);
    return true;
}

bool read_token(Bytes* in, Bytes* token) {
    skip_blanks(in);
    *token = take(*in, http::run_length(*in, http::kTokenByte));
    *in = drop(*in, token->len);
    return token->len > 0;
}

// What stands between quotes must be a token once its backslashes are gone (§9.1), so nothing but a token's bytes may
// be escaped. `*in` is behind the opening quote.
bool read_quoted_token(Bytes* in, Bytes* value) {
    size_t n = 0;
    while (n < in->len && in->p[n] != '"') {
        if (in->p[n] == '\\') n++;
        if (n == in->len || !(http::kByteClasses[in->p[n]] & http::kTokenByte)) return false;
        n++;
    }
    if (n == 0 || n == in->len) return false;
    *value = take(*in, n);
    *in = drop(*in, n + 1);
    return true;
}

}  // namespace

bool read_extension_name(Bytes* element, Bytes* name) { return read_token(element, name); }

ExtensionStep read_extension_param(Bytes* element, ExtensionParam* param) {
    *param = {};
    skip_blanks(element);
    if (element->len == 0) return ExtensionStep::kEnd;
    if (!skip_byte(element, ';') || !read_token(element, &param->name)) return ExtensionStep::kMalformed;
    param->has_value = skip_byte(element, '=');
    if (!param->has_value) return ExtensionStep::kParam;
    const bool good =
        skip_byte(element, '"') ? read_quoted_token(element, &param->value) : read_token(element, &param->value);
    return good ? ExtensionStep::kParam : ExtensionStep::kMalformed;
}

bool extension_is_clean(Bytes element) {
    Bytes name;
    if (!read_extension_name(&element, &name)) return false;
    ExtensionParam param;
    ExtensionStep step = ExtensionStep::kParam;
    while (step == ExtensionStep::kParam) step = read_extension_param(&element, &param);
    return step == ExtensionStep::kEnd;
}

}  // namespace wsd::ws
