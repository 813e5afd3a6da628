// The library's statistics and the process's own figures as Prometheus reads them: its text format, version 0.0.4.
#pragma once

#include <string>

#include "app/usage.h"
#include "wsd.h"

namespace app {

constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

struct MetricsInput {
    wsd_stats stats;
    ProcessUsage process;
    double start_time_s;  // since 1970
    std::string version;
    std::string kernels;
};

std::string metrics_text(const MetricsInput& input);

}  // namespace app
