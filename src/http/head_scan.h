// Finds the end of an HTTP/1.x message head (RFC 9112 §2) in a stream that may be cut anywhere, judging its lines as
// bytes only: what a line says is request.h's business. Bare CR, bare LF, obs-fold and controls are refused, although
// RFC 9112 lets a server repair some of them, because two readers that repair differently are how requests are
// smuggled.
#pragma once

#include "base/bytes.h"

namespace wsd::http {

enum class Step : uint8_t { kDone, kNeedMore, kRefused };

// Why a request cannot be served: the status that says so, and a static text for the log, of plain ASCII without quotes
// and backslashes.
struct Refusal {
    uint16_t status = 0;
    const char* why = "";
    const char* code = nullptr;  // for programs to tell it by; null: the one that goes with the status
    uint32_t retry_after_s = 1;  // with 429 and 503: how soon asking again makes sense
};

inline Step refuse(Refusal* refusal, uint16_t status, const char* why) {
    *refusal = {status, why};
    return Step::kRefused;
}

// A head's positions are 16 bits wide wherever they are kept.
constexpr uint32_t kHeadMaxBytes = 65535;

// Where a search for the end of a head stands; all zero at its start.
struct HeadScan {
    uint32_t scanned = 0;  // bytes judged so far
    uint16_t headers = 0;  // complete lines after the request line, the empty one not counted
    uint8_t state = 0;     // of the line grammar, private to head_scan.cpp
};

struct HeadLimits {
    uint32_t bytes = 8192;  // request line, headers and the empty line, 1 to kHeadMaxBytes
    uint16_t headers = 100;
};

// The bytes of the empty lines (CRLF) that `in` begins with, which a server skips before a request line
// (RFC 9112 §2.2). To be called while nothing of the head has been scanned.
size_t leading_empty_lines(Bytes in);

// Looks for the empty line that ends the head at in.p, from where `scan` stopped; `in` begins at the request line
// (empty lines before it are the caller's to skip) and holds all bytes received so far.
//   kDone      `scan->scanned` is the head's length, its empty line included
//   kNeedMore  the end is not there yet, and nothing seen so far is wrong
//   kRefused   400 for a byte that no head has (NUL, other controls, bare CR or LF), for obs-fold and for an empty
//              request line; 414 when limits.bytes bytes are there without the end of the request line, 431 when
//              they are there without the end of the head, or when it has more than limits.headers lines
// Each byte is judged once, however the input is cut, and the answer does not depend on the cuts. A first byte that is
// CR is left unscanned until its neighbour tells whether it was an empty line. Not to be called again after kDone or
// kRefused.
[[nodiscard]] Step scan_head(Bytes in, const HeadLimits& limits, HeadScan* scan, Refusal* refusal);

// How many bytes at the start of `in` may stand inside a line: all but controls, HTAB being none (RFC 9110 §5.5).
size_t text_length(Bytes in);

}  // namespace wsd::http
