// A request read as the server would read it, and in every other way the network could cut it: the bytes sit before a
// page nobody may read, are scanned whole and again in growing prefixes, and both ways have to agree.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "http/request.h"
#include "support/guard_page.h"

namespace test {

class ParsedRequest {
  public:
    explicit ParsedRequest(std::string_view text, const wsd::http::HeadLimits& limits = {}) : page_(text.size()) {
        using wsd::http::Step;
        // A byte at a time; long texts in fewer, larger pieces, as every prefix is copied to the page's edge.
        const size_t piece = 1 + text.size() / 2048;
        wsd::http::HeadScan pieces;
        wsd::http::Refusal pieces_refusal;
        Step pieces_step = Step::kNeedMore;
        for (size_t len = 0; pieces_step == Step::kNeedMore && len < text.size();) {
            len = len + piece < text.size() ? len + piece : text.size();
            pieces_step = scan_head({page_.before_end(text.data(), len), len}, limits, &pieces, &pieces_refusal);
        }
        wsd::http::HeadScan scan;
        head.p = page_.before_end(text.data(), text.size());
        step = scan_head({head.p, text.size()}, limits, &scan, &refusal);
        CHECK(step == pieces_step);
        CHECK(std::string(refusal.why) == pieces_refusal.why);
        if (step != Step::kDone) return;
        CHECK(scan.scanned == pieces.scanned);
        CHECK(scan.headers == pieces.headers);
        head = {page_.before_end(text.data(), scan.scanned), scan.scanned};
        headers_.resize(scan.headers);
        request.headers = headers_.data();
        step = parse_head(head, &request, &refusal);
    }

    // 0 for a request that was taken, -1 where more bytes are asked for.
    int status() const {
        if (step == wsd::http::Step::kNeedMore) return -1;
        return step == wsd::http::Step::kDone ? 0 : refusal.status;
    }

    std::string text(wsd::http::Slice s) const { return {reinterpret_cast<const char*>(head.p) + s.at, s.len}; }

    wsd::Bytes head;
    wsd::http::Step step = wsd::http::Step::kNeedMore;
    wsd::http::Request request;
    wsd::http::Refusal refusal;

  private:
    GuardPage page_;
    std::vector<wsd::http::Header> headers_;
};

inline std::string to_string(wsd::Bytes bytes) {
    return bytes.len ? std::string(reinterpret_cast<const char*>(bytes.p), bytes.len) : std::string();
}

inline wsd::Bytes to_bytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace test
