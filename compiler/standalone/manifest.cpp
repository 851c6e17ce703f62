// See manifest.h.
#include "compiler/standalone/manifest.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "compiler/driver/image_tables.h"
#include "compiler/standalone/c_text.h"
#include "runtime/standalone/interface.h"

namespace talweg::standalone {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

const char* rate_name(std::uint8_t rate) {
  constexpr std::array kNames = {"", "model", "group", "tensor", "matrix", "row", "col", "element"};
  return kNames.at(rate);
}

/// What rows and columns are, where the rule has such.
Json split_json(std::uint32_t split) {
  constexpr std::array<const char*, 4> kNames = {nullptr, "first_rest", "last_two", "two_largest"};
  const char* name = kNames.at(split);
  return name == nullptr ? Json(nullptr) : Json(name);
}

Json hyper_json(const talweg_hyper_info& hyper, const std::string& field) {
  constexpr std::array kKinds = {"number", "int", "bool"};
  Json json;
  json["name"] = hyper.name;
  json["field"] = field;
  json["kind"] = kKinds.at(hyper.kind);
  json["rate"] = rate_name(hyper.rate);
  json["default"] = hyper.follows != 0 ? Json("nan") : number(hyper.default_value);
  json["follows"] = hyper.follows != 0;
  json["low"] = number(hyper.low);
  json["high"] = number(hyper.high);
  json["low_closed"] = hyper.low_closed != 0;
  json["high_closed"] = hyper.high_closed != 0;
  json["doc"] = hyper.doc;
  return json;
}

Json state_json(const talweg_state_info& state) {
  constexpr std::array kInitials = {"zero", "constant", "computed", "param", "computed"};
  Json json;
  json["name"] = state.name;
  json["rate"] = rate_name(state.rate);
  json["dtype"] = state.dtype == TALWEG_F32 ? "float32" : "float64";
  json["initial"] = kInitials.at(state.initial);
  if (state.initial == TALWEG_INITIAL_CONSTANT) json["initial_value"] = number(state.initial_value);
  json["doc"] = state.doc;
  return json;
}

Json rule_json(const LibraryRule& rule) {
  const driver::ImageTables tables(*rule.graph, rule.plan->compute, "");
  const talweg_image& image = tables.image();
  const FieldNames names = field_names(image);
  Json json;
  json["name"] = image.name;
  json["prefix"] = rule.prefix;
  json["class"] = rule.class_name;
  json["doc"] = image.doc;
  json["uses_gradient"] = image.uses_gradient != 0;
  json["split"] = split_json(image.split);
  json["flat_step"] = has_flat_step(rule);
  json["hypers"] = Json::array();
  for (const std::uint32_t field : settable_hypers(image))
    json["hypers"].push_back(hyper_json(image.hypers[field], names.hypers[field]));
  json["states"] = Json::array();
  for (std::uint32_t i = 0; i < image.state_count; ++i)
    json["states"].push_back(state_json(image.states[i]));
  json["inputs"] = Json::array();
  for (std::uint32_t i = 0; i < image.input_count; ++i)
    json["inputs"].push_back({{"name", image.inputs[i].name},
                              {"field", names.inputs[i]},
                              {"rate", rate_name(image.inputs[i].rate)},
                              {"doc", image.inputs[i].doc}});
  json["views"] = Json::array();
  for (std::uint32_t i = 0; i < image.view_count; ++i)
    json["views"].push_back({{"name", image.views[i].name}, {"doc", image.views[i].doc}});
  json["requirements"] = Json::array();
  for (std::uint32_t i = 0; i < image.requirement_count; ++i)
    json["requirements"].push_back(image.requirements[i]);
  return json;
}

}  // namespace

std::string manifest_text(const Library& library) {
  Json json;
  json["talweg"] = library.release;
  json["interface"] = TALWEG_LIB_INTERFACE;
  json["name"] = library.prefix;
  json["dtype"] = is_float32(library) ? "float32" : "float64";
  for (const GpuCode& code : library.rules.front().gpu_codes)
    json["gpus"].push_back(code.target->name());
  json["rules"] = Json::array();
  for (const LibraryRule& rule : library.rules) json["rules"].push_back(rule_json(rule));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace talweg::standalone
