#include "http/head_scan.h"

#include <bit>

#include "base/assert.h"
#include "http/grammar.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace wsd::http {
namespace {

// What the next byte has to be. The request line and the headers are told apart only for the sake of the limits.
enum State : uint8_t {
    kRequestLine,     // text, or the CR that ends it
    kRequestLineEnd,  // LF
    kHeaderStart,     // the first byte of a header, or the CR of the empty line
    kHeader,          // text, or the CR that ends it
    kHeaderEnd,       // LF
    kHeadEnd,         // the LF of the empty line
};

}  // namespace

size_t text_length(Bytes in) {
    size_t at = 0;
#if defined(__SSE2__)
    // Every x86-64 has SSE2, so sixteen bytes at a time need neither a test of the CPU nor a flag of the compiler.
    for (; in.len - at >= 16; at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in.p + at));
        const __m128i below_space = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
        const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
        const int controls = _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, below_space), del));
        if (controls) return at + size_t(std::countr_zero(unsigned(controls)));
    }
#endif
    return at + run_length(drop(in, at), kTextByte);
}

size_t leading_empty_lines(Bytes in) {
    size_t n = 0;
    while (in.len - n >= 2 && in.p[n] == '\r' && in.p[n + 1] == '\n') n += 2;
    return n;
}

Step scan_head(Bytes in, const HeadLimits& limits, HeadScan* scan, Refusal* refusal) {
    WSD_ASSERT(limits.bytes > 0 && limits.bytes <= kHeadMaxBytes);
    if (scan->scanned == 0 && in.len > 0 && in.p[0] == '\r') {
        return in.len == 1 ? Step::kNeedMore : refuse(refusal, 400, "no request line");
    }
    const size_t end = in.len < limits.bytes ? in.len : limits.bytes;
    size_t at = scan->scanned;
    uint8_t state = scan->state;
    while (at < end) {
        const uint8_t c = in.p[at];
        switch (state) {
            case kHeaderStart:
                // RFC 9112 §5.2, and §2.2 for the first of them: a line is never continued by the next.
                if (c == ' ' || c == '\t') return refuse(refusal, 400, "header line begins with white space");
                if (c == '\r') {
                    at++;
                    state = kHeadEnd;
                    break;
                }
                state = kHeader;
                [[fallthrough]];
            case kRequestLine:
            case kHeader:
                at += text_length({in.p + at, end - at});
                if (at == end) break;
                if (in.p[at] != '\r') return refuse(refusal, 400, "bare LF or control character in the head");
                at++;
                state = state == kRequestLine ? kRequestLineEnd : kHeaderEnd;
                break;
            default:
                if (c != '\n') return refuse(refusal, 400, "CR without LF");
                at++;
                if (state == kHeadEnd) {
                    scan->scanned = uint32_t(at);
                    return Step::kDone;
                }
                if (state == kHeaderEnd) scan->headers++;
                if (scan->headers > limits.headers) return refuse(refusal, 431, "too many headers");
                state = kHeaderStart;
        }
    }
    scan->scanned = uint32_t(at);
    scan->state = state;
    if (at < limits.bytes) return Step::kNeedMore;
    if (state <= kRequestLineEnd) return refuse(refusal, 414, "request line over the limit");
    return refuse(refusal, 431, "head over the limit");
}

}  // namespace wsd::http
