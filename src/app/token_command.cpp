#include "app/token_command.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "app/hub/envelope.h"
#include "app/hub/jwt.h"
#include "app/option_values.h"

namespace app {
namespace {

constexpr uint32_t kTtlDefaultMs = 3'600'000;

constexpr const char* kHelp =
    "usage: wsd token --secret-file FILE --sub USER --role ROLE [flags]\n\n"
    "Prints a token for the hub, signed with the first secret of the file.\n\n"
    "  --secret-file FILE            as of --jwt-secret-file\n"
    "  --sub USER                    the user\n"
    "  --role ROLE                   instructor or student\n"
    "  --sid SESSION                 the session (any)\n"
    "  --pid PROJECT                 the project (any)\n"
    "  --ttl TIME                    how long it is good, as 30s, 5m or 1h (1h)\n"
    "  --iss ISSUER                  who issued it (none)\n"
    "  --aud AUDIENCE                for whom it is; may be repeated (none)\n"
    "  --help                        print this\n";

struct Wanted {
    std::string secret_file;
    hub::Claims claims;
    uint32_t ttl_ms = kTtlDefaultMs;
};

using Set = std::string (*)(Wanted& wanted, const std::string& value);  // empty, or what was expected

std::string set_identifier(std::string* field, const std::string& value) {
    *field = value;
    return hub::is_identifier(value) ? "" : "1-64 characters of A-Z a-z 0-9 _ - .";
}

std::string set_text(std::string* field, const std::string& value) {
    *field = value;
    return value.empty() ? "a text" : "";
}

std::string set_role(Wanted& wanted, const std::string& value) {
    wanted.claims.role = value;
    return hub::parse_role(value) ? "" : "instructor or student";
}

std::string set_ttl(Wanted& wanted, const std::string& value) {
    const bool good = parse_ms(value, &wanted.ttl_ms) && wanted.ttl_ms >= 1000 && wanted.ttl_ms % 1000 == 0;
    return good ? "" : "a time of whole seconds, as 30s, 5m or 1h";
}

std::string add_audience(Wanted& wanted, const std::string& value) {
    return set_text(&wanted.claims.aud.emplace_back(), value);
}

const struct TokenFlag {
    std::string_view name;
    Set set;
} kFlags[] = {
    {"secret-file", [](Wanted& w, const std::string& value) { return set_text(&w.secret_file, value); }},
    {"sub", [](Wanted& w, const std::string& value) { return set_identifier(&w.claims.sub, value); }},
    {"role", set_role},
    {"sid", [](Wanted& w, const std::string& value) { return set_identifier(&w.claims.sid, value); }},
    {"pid", [](Wanted& w, const std::string& value) { return set_identifier(&w.claims.pid, value); }},
    {"ttl", set_ttl},
    {"iss", [](Wanted& w, const std::string& value) { return set_text(&w.claims.iss, value); }},
    {"aud", add_audience},
};

bool fail(std::string* error, std::string text) {
    *error = std::move(text);
    return false;
}

// Reads the flag at `*at`, and the argument behind it where that is its value.
bool read_flag(int argc, char** argv, int* at, Wanted* wanted, std::string* error) {
    const std::string_view argument = argv[*at];
    if (argument.substr(0, 2) != "--") return fail(error, "token: unexpected argument: " + shown(argument));
    const size_t equals = std::min(argument.find('='), argument.size());
    const std::string_view name = argument.substr(2, equals - 2);
    const auto flag =
        std::find_if(std::begin(kFlags), std::end(kFlags), [&](const TokenFlag& one) { return one.name == name; });
    const std::string where = "token: --" + std::string(name);
    if (flag == std::end(kFlags)) {
        return fail(error, "token: unknown flag: " + shown("--" + std::string(name)) + " (see wsd token --help)");
    }
    std::string value;
    if (equals < argument.size()) {
        value = argument.substr(equals + 1);
    } else if (++*at == argc) {
        return fail(error, where + " needs a value");
    } else {
        value = argv[*at];
    }
    const std::string expected = flag->set(*wanted, value);
    return expected.empty() || fail(error, where + ": expected " + expected + ", not " + shown(value));
}

bool judge(const Wanted& wanted, std::string* error) {
    const struct {
        const char* name;
        const std::string& value;
    } needed[] = {{"--secret-file", wanted.secret_file}, {"--sub", wanted.claims.sub}, {"--role", wanted.claims.role}};
    for (const auto& one : needed) {
        if (one.value.empty()) return fail(error, std::string("token: needs ") + one.name);
    }
    return true;
}

}  // namespace

bool asks_for_token(int argc, char** argv) { return argc > 1 && std::string_view(argv[1]) == "token"; }

bool token_command(int argc, char** argv, int64_t now_s, std::string* output, std::string* error) {
    Wanted wanted;
    for (int at = 2; at < argc; at++) {
        if (std::string_view(argv[at]) == "--help") {
            *output = kHelp;
            return true;
        }
        if (!read_flag(argc, argv, &at, &wanted, error)) return false;
    }
    if (!judge(wanted, error)) return false;
    std::vector<std::string> secrets;
    std::string why;
    if (!hub::read_secrets(wanted.secret_file, &secrets, &why)) return fail(error, "token: --secret-file: " + why);
    wanted.claims.iat_s = now_s;
    wanted.claims.exp_s = now_s + wanted.ttl_ms / 1000;
    *output = hub::sign_token(wanted.claims, secrets[0]) + "\n";
    return true;
}

}  // namespace app
