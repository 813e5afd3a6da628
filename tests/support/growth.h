// How a cost grows with a count: the line through all points, both in logarithms, told as a factor for ten times as
// many. 1 is a cost that does not grow, 10 one that is proportional.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdio>

namespace test {

class Growth {
  public:
    void add(size_t count, double cost) {
        const double x = std::log10(double(count)), y = std::log10(cost);
        n_++;
        x_ += x;
        y_ += y;
        xx_ += x * x;
        xy_ += x * y;
    }

    // Of two points with different counts, or more.
    double for_tenfold() const { return std::pow(10, (n_ * xy_ - x_ * y_) / (n_ * xx_ - x_ * x_)); }

    // Nothing where there are not two points.
    void print(const char* what) const {
        if (n_ > 1) std::printf("slope/%s  %.2f times as much for ten times as many\n", what, for_tenfold());
    }

  private:
    double n_ = 0, x_ = 0, y_ = 0, xx_ = 0, xy_ = 0;
};

}  // namespace test
