#include "app/token_command.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "app/hub/jwt.h"
#include "support/scratch_file.h"

namespace {

constexpr int64_t kNow = 1'800'000'000;
const std::string kSecret = "a secret of thirty-two bytes, ok";

struct Run {
    std::string output, error;
    bool ok;

    explicit Run(std::vector<std::string> arguments) {
        std::vector<char*> argv{const_cast<char*>("wsd"), const_cast<char*>("token")};
        for (std::string& argument : arguments) argv.push_back(argument.data());
        REQUIRE(app::asks_for_token(int(argv.size()), argv.data()));
        ok = app::token_command(int(argv.size()), argv.data(), kNow, &output, &error);
        CHECK(ok == error.empty());
        CHECK(ok != output.empty());
    }
};

}  // namespace

TEST_CASE("wsd token prints a token that is good until its time is up") {
    const test::ScratchFile file(kSecret + "\nanother secret of thirty-two byt\n");
    const Run run({"--secret-file", file.path(), "--sub=ada", "--role", "instructor", "--sid", "algebra-1", "--pid",
                   "p", "--ttl", "90s", "--iss", "school", "--aud", "wsd", "--aud", "other"});
    REQUIRE(run.error == "");
    REQUIRE(run.output.back() == '\n');
    app::hub::TokenRules rules;
    rules.secrets = {kSecret};
    rules.leeway_s = 0;
    app::hub::Claims claims;
    const std::string token = run.output.substr(0, run.output.size() - 1);
    CHECK(verify_token(token, rules, kNow, &claims) == app::hub::TokenVerdict::kGood);
    CHECK(claims.sub == "ada");
    CHECK(claims.role == "instructor");
    CHECK(claims.sid == "algebra-1");
    CHECK(claims.pid == "p");
    CHECK(claims.iss == "school");
    CHECK(claims.aud == std::vector<std::string>{"wsd", "other"});
    CHECK(claims.iat_s == kNow);
    CHECK(claims.exp_s == kNow + 90);
    CHECK(verify_token(token, rules, kNow + 90, &claims) == app::hub::TokenVerdict::kExpired);
}

TEST_CASE("session and project may be left out of a token, and its time is an hour then") {
    const test::ScratchFile file(kSecret);
    const Run run({"--secret-file", file.path(), "--sub", "bob", "--role", "student"});
    app::hub::TokenRules rules;
    rules.secrets = {kSecret};
    app::hub::Claims claims;
    REQUIRE(run.ok);
    CHECK(verify_token(run.output.substr(0, run.output.size() - 1), rules, kNow, &claims) ==
          app::hub::TokenVerdict::kGood);
    CHECK(claims.sid.empty());
    CHECK(claims.pid.empty());
    CHECK(claims.exp_s == kNow + 3600);
}

TEST_CASE("what is wrong with the flags of wsd token is named") {
    const test::ScratchFile file(kSecret);
    const struct {
        std::vector<std::string> arguments;
        std::string error;
    } rows[] = {
        {{}, "token: needs --secret-file"},
        {{"--secret-file", file.path(), "--role", "student"}, "token: needs --sub"},
        {{"--secret-file", file.path(), "--sub", "bob"}, "token: needs --role"},
        {{"--secret-file", "/nowhere", "--sub", "bob", "--role", "student"},
         "token: --secret-file: /nowhere: No such file or directory"},
        {{"--sub", "a b"}, R"(token: --sub: expected 1-64 characters of A-Z a-z 0-9 _ - ., not "a b")"},
        {{"--sid="}, R"(token: --sid: expected 1-64 characters of A-Z a-z 0-9 _ - ., not "")"},
        {{"--pid", "/"}, R"(token: --pid: expected 1-64 characters of A-Z a-z 0-9 _ - ., not "/")"},
        {{"--role", "admin"}, R"(token: --role: expected instructor or student, not "admin")"},
        {{"--ttl", "0"}, R"(token: --ttl: expected a time of whole seconds, as 30s, 5m or 1h, not "0")"},
        {{"--ttl", "1500ms"}, R"(token: --ttl: expected a time of whole seconds, as 30s, 5m or 1h, not "1500ms")"},
        {{"--iss", ""}, R"(token: --iss: expected a text, not "")"},
        {{"--sub"}, "token: --sub needs a value"},
        {{"--port", "1"}, R"(token: unknown flag: "--port" (see wsd token --help))"},
        {{"ada"}, R"(token: unexpected argument: "ada")"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.error);
        CHECK(Run(row.arguments).error == row.error);
    }
}

TEST_CASE("wsd token --help tells of every flag") {
    const Run run({"--help"});
    for (const char* const flag : {"secret-file", "sub", "role", "sid", "pid", "ttl", "iss", "aud", "help"}) {
        CAPTURE(flag);
        CHECK(run.output.find("  --" + std::string(flag) + " ") != run.output.npos);
    }
}

TEST_CASE("only the first argument makes it the token command") {
    std::string words[] = {"wsd", "--port", "token"};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data()};
    CHECK_FALSE(app::asks_for_token(3, argv));
    CHECK_FALSE(app::asks_for_token(1, argv));
}
