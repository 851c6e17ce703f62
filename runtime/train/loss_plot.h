// The loss curve of a run as an SVG picture.
#pragma once

#include <string>
#include <vector>

#include "runtime/train/loss_curve.h"

namespace talweg::train {

struct LossPlot {
  std::string title;
  std::vector<CurvePoint> training, validation;  // points that are not finite are passed over
};

/// A standalone SVG 1.1 document without scripts or outside references: axes with ticks, a legend
/// where there are two lines, a logarithmic loss axis when the losses are above 0 and span more
/// than a factor of 100. It follows the reader's light or dark preference and stays readable where
/// that is not known.
std::string loss_plot_svg(const LossPlot& plot);

/// `text` for use between tags or in quotes: `<`, `>`, `&` and quotes escaped, control characters
/// left out.
std::string xml_escaped(std::string_view text);

}  // namespace talweg::train
