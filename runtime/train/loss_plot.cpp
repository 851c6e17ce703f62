// Drawing the curve: a panel, ticks, two lines, words.
#include "runtime/train/loss_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/train/axis.h"

namespace talweg::train {
namespace {

// Pixels.
constexpr double kWidth = 760;
constexpr double kHeight = 440;
constexpr double kLeft = 78;
constexpr double kRight = 24;
constexpr double kTop = 52;
constexpr double kBottom = 56;
constexpr double kLegendWidth = 118;

constexpr int kStepTicks = 6;
constexpr int kLossTicks = 5;
constexpr double kLogRange = 100;

constexpr std::string_view kStyle = R"(
  .panel { fill: #ffffff } .grid { stroke: #e3e6ea } .axis { stroke: #6b7280 }
  text { font-family: system-ui, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; font-size: 13px;
         fill: #374151 }
  .title { font-size: 16px; font-weight: 600; fill: #111827 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
  .training { stroke: #2563eb } .validation { stroke: #d97706 }
  .dot.training { fill: #2563eb } .dot.validation { fill: #d97706 }
  @media (prefers-color-scheme: dark) {
    .panel { fill: #14181f } .grid { stroke: #2b323d } .axis { stroke: #9ca3af }
    text { fill: #d1d5db } .title { fill: #f3f4f6 }
    .training { stroke: #60a5fa } .validation { stroke: #fbbf24 }
    .dot.training { fill: #60a5fa } .dot.validation { fill: #fbbf24 }
  }
)";

std::vector<CurvePoint> finite_points(const std::vector<CurvePoint>& points) {
  std::vector<CurvePoint> kept;
  std::copy_if(points.begin(), points.end(), std::back_inserter(kept),
               [](const CurvePoint& point) { return std::isfinite(point.loss); });
  return kept;
}

class Drawing {
 public:
  explicit Drawing(const LossPlot& plot)
      : title_(plot.title),
        training_(finite_points(plot.training)),
        validation_(finite_points(plot.validation)) {
    choose_axes();
  }
  std::string draw();

 private:
  void choose_axes();
  void draw_ticks();
  void draw_line(const std::vector<CurvePoint>& points, std::string_view name);
  void draw_legend();
  [[nodiscard]] double x(double step) const {
    return kLeft + (kWidth - kLeft - kRight) * steps_.place(step);
  }
  [[nodiscard]] double y(double loss) const {
    return kTop + (kHeight - kTop - kBottom) * (1 - losses_.place(loss));
  }
  template <class... Arguments>
  void write(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }

  std::string title_;
  std::vector<CurvePoint> training_, validation_;
  Axis steps_, losses_;
  std::string text_;
};

void Drawing::choose_axes() {
  std::vector<CurvePoint> all = training_;
  all.insert(all.end(), validation_.begin(), validation_.end());
  if (all.empty()) all.push_back({0, 1});
  double last_step = 1;
  double low = all.front().loss;
  double high = all.front().loss;
  for (const CurvePoint& point : all) {
    last_step = std::max(last_step, point.step);
    low = std::min(low, point.loss);
    high = std::max(high, point.loss);
  }
  steps_ = linear_axis(0, last_step, kStepTicks);
  steps_.high = last_step;
  std::erase_if(steps_.ticks, [&](const AxisTick& tick) { return tick.value > last_step; });
  const bool is_log = low > 0 && high / low > kLogRange;
  losses_ = is_log ? log_axis(low, high)
                   : linear_axis(std::min(low, low > 0 ? 0 : low), high, kLossTicks);
}

void Drawing::draw_ticks() {
  const double bottom = kHeight - kBottom;
  for (const AxisTick& tick : losses_.ticks) {
    const double at = y(tick.value);
    write("<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kLeft,
          at, kWidth - kRight, at);
    write("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 8, at + 4.5,
          tick.label);
  }
  for (const AxisTick& tick : steps_.ticks) {
    const double at = x(tick.value);
    write("<line class=\"axis\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", at,
          bottom, at, bottom + 5);
    write("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", at, bottom + 21,
          tick.label);
  }
  write("<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\"/>\n",
        kLeft, bottom, kWidth - kRight);
  write("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">step</text>\n",
        (kLeft + kWidth - kRight) / 2, kHeight - 12);
  write(
      "<text transform=\"translate(18 {:.1f}) rotate(-90)\" text-anchor=\"middle\">loss{}</text>\n",
      (kTop + bottom) / 2, losses_.is_log ? " (log scale)" : "");
}

void Drawing::draw_line(const std::vector<CurvePoint>& points, std::string_view name) {
  if (points.empty()) return;
  if (points.size() == 1) {
    write("<circle class=\"dot {}\" cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"3.5\"/>\n", name,
          x(points[0].step), y(points[0].loss));
    return;
  }
  write("<polyline class=\"line {}\" points=\"", name);
  for (const CurvePoint& point : points) write("{:.2f},{:.2f} ", x(point.step), y(point.loss));
  text_.back() = '"';
  text_ += "/>\n";
}

void Drawing::draw_legend() {
  if (training_.empty() || validation_.empty()) return;
  double left = kWidth - kRight - 2 * kLegendWidth;
  for (const std::string_view name : {"training", "validation"}) {
    write(
        "<line class=\"line {0}\" x1=\"{1:.1f}\" y1=\"{3:.1f}\" x2=\"{2:.1f}\" y2=\"{3:.1f}\"/>\n",
        name, left, left + 22, kTop - 18);
    write("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", left + 30, kTop - 13.5, name);
    left += kLegendWidth;
  }
}

std::string Drawing::draw() {
  write(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" "
      "role=\"img\">\n<title>{2}</title>\n<style>{3}</style>\n"
      "<rect class=\"panel\" width=\"{0}\" height=\"{1}\" rx=\"6\"/>\n"
      "<text class=\"title\" x=\"{4}\" y=\"28\">{2}</text>\n",
      kWidth, kHeight, xml_escaped(title_), kStyle, kLeft - 54);
  draw_ticks();
  draw_line(training_, "training");
  draw_line(validation_, "validation");
  draw_legend();
  text_ += "</svg>\n";
  return std::move(text_);
}

}  // namespace

std::string loss_plot_svg(const LossPlot& plot) { return Drawing(plot).draw(); }

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&apos;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' || c == '\t') escaped += c;
    }
  }
  return escaped;
}

}  // namespace talweg::train
