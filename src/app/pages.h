// What the daemon answers to plain requests: health checks and metrics. It keeps no state of its own, and shows nothing
// of any client.
//
//     /health/live    200 while the loop turns
//     /health/ready   200; 503 while draining or short of memory, so that nobody new is sent here
//     /health         the same status, and figures as JSON
//     /metrics        the statistics for Prometheus
#pragma once

#include <string>
#include <string_view>

#include "wsd.h"

namespace app {

// What pages tell about.
struct PageSource {
    wsd_server* server;
    bool draining;
    uint64_t memory_soft_bytes;  // 0: none
    double start_time_s;         // since 1970
    uint64_t start_ms;           // the same by the loop's clock
};

struct Page {
    int status;
    const char* type;             // Content-Type; static
    const char* allow = nullptr;  // with 405: the methods that there are; static
    std::string body;
};

// Is there a page at this path?
bool is_page(std::string_view path);

// The answer to a request: the page; 405 for a method other than GET and HEAD; 404 where there is no page.
Page page_at(std::string_view method, std::string_view path, const PageSource& source);

}  // namespace app
