#include "app/pages.h"

#include "app/metrics.h"
#include "support/test_server.h"

using namespace test;

namespace {

app::PageSource source_of(TestServer& server) { return {server, false, 0, 0, server.now_ms}; }

}  // namespace

TEST_CASE("a server that is well is live and ready") {
    TestServer server;
    server.start();
    for (const char* path : {"/health/live", "/health/ready"}) {
        CAPTURE(path);
        CHECK(app::is_page(path));
        const app::Page page = app::page_at("GET", path, source_of(server));
        CHECK(page.status == 200);
        CHECK(page.body == "ok\n");
    }
}

TEST_CASE("who drains is live and not ready") {
    TestServer server;
    server.start();
    app::PageSource source = source_of(server);
    source.draining = true;
    CHECK(app::page_at("GET", "/health/live", source).status == 200);
    CHECK(app::page_at("GET", "/health/ready", source).status == 503);
    CHECK(app::page_at("GET", "/health/ready", source).body == "draining\n");
    CHECK(app::page_at("GET", "/health", source).status == 503);
    CHECK(app::page_at("GET", "/health", source).body.find("{\"status\":\"draining\",") == 0);
}

TEST_CASE("from the soft memory mark on a server is not ready") {
    TestServer server;
    server.start();
    app::PageSource source = source_of(server);
    const uint64_t held = server.stats().memory_held_bytes;
    source.memory_soft_bytes = held + 1;
    CHECK(app::page_at("GET", "/health/ready", source).status == 200);
    source.memory_soft_bytes = held;
    CHECK(app::page_at("GET", "/health/ready", source).status == 503);
    CHECK(app::page_at("GET", "/health/ready", source).body == "short of memory\n");
    CHECK(app::page_at("GET", "/health/live", source).status == 200);
}

TEST_CASE("health tells version, uptime and figures") {
    TestServer server;
    server.start();
    const app::PageSource source = source_of(server);
    (void)server.open();
    server.pass(1250);
    const app::Page page = app::page_at("GET", "/health", source);
    CHECK(page.status == 200);
    CHECK(std::string(page.type) == "application/json");
    CHECK(page.body.find("\"version\":\"" WSD_VERSION "\"") != std::string::npos);
    CHECK(page.body.find("\"uptime_seconds\":1.250,") != std::string::npos);
    CHECK(page.body.find("\"connections_open\":1,") != std::string::npos);
}

TEST_CASE("metrics are of this server") {
    TestServer server;
    server.start();
    (void)server.open();
    const app::Page page = app::page_at("GET", "/metrics", source_of(server));
    CHECK(page.status == 200);
    CHECK(std::string(page.type) == app::kMetricsType);
    CHECK(page.body.find("\nwsd_connections_open 1\n") != std::string::npos);
}

TEST_CASE("pages take GET and HEAD, and there are no others") {
    TestServer server;
    server.start();
    CHECK(app::page_at("HEAD", "/metrics", source_of(server)).status == 200);
    for (const char* method : {"POST", "PUT", "DELETE", "get"}) {
        const app::Page page = app::page_at(method, "/health", source_of(server));
        CHECK(page.status == 405);
        CHECK(std::string(page.allow) == "GET, HEAD");
    }
    for (const char* path : {"", "/", "/health/", "/Health", "/metrics/x", "/health/live%00"}) {
        CAPTURE(path);
        CHECK_FALSE(app::is_page(path));
        CHECK(app::page_at("GET", path, source_of(server)).status == 404);
        CHECK(app::page_at("POST", path, source_of(server)).status == 404);
    }
}
