// What the server itself says to somebody whom it refuses, at accept and at a request alike: one answer, as text or as
// JSON by wsd_config.refusals_json.
#pragma once

#include "http/head_scan.h"
#include "http/response.h"

namespace wsd::server {

// An answer and what it points to; it stays where it was made.
struct RefusalAnswer {
    http::Field fields[4];
    char retry_after[11];
    char body[192];
    http::Response response;

    RefusalAnswer() = default;
    RefusalAnswer(const RefusalAnswer&) = delete;
    RefusalAnswer& operator=(const RefusalAnswer&) = delete;
};

// Puts the answer together; the connection is to end with it.
void refusal_answer(const http::Refusal& refusal, bool json, RefusalAnswer* answer);

}  // namespace wsd::server
