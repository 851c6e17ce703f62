// Descriptions to JSON and back, with every field checked on the way in.
#include "runtime/train/model_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/train/json_text.h"
#include "runtime/train/names.h"

namespace talweg::train {
namespace {

constexpr const char* kModelKey = "talweg.model";
constexpr int kFormatVersion = 1;

support::Failure usage(std::string message) {
  return {support::FailureKind::Usage, std::move(message)};
}

Json to_json(const ModelDescription& description) {
  Json json;
  json["format"] = kFormatVersion;
  json["model"] = to_text(description.model);
  json["widths"] = description.network.widths;
  json["loss"] = name(description.network.loss);
  json["target"] = description.target_name;
  json["classes"] = description.classes;
  json["features"] = description.feature_names;
  json["scaling"] = {{"offset", description.scaling.offset},
                     {"factor", description.scaling.factor}};
  return json;
}

/// The fields of a description; absent or of another type: nothing.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}

  template <class T>
  bool read(const char* key, T& to) const {
    const auto found = json_.find(key);
    if (found == json_.end()) return false;
    try {
      to = found->get<T>();
    } catch (const Json::exception&) {
      return false;
    }
    return true;
  }

 private:
  const Json& json_;
};

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

/// Whether counts agree with each other: nothing read later may index past an end.
bool is_consistent(const ModelDescription& description) {
  const auto& widths = description.network.widths;
  const bool has_widths =
      widths.size() >= 2 && std::all_of(widths.begin(), widths.end(),
                                        [](auto width) { return width > 0 && width <= kMaxWidth; });
  if (!has_widths) return false;
  const bool is_autoencoder = description.model.kind == ModelSpec::Kind::Autoencoder;
  const std::size_t inputs = widths.front();
  bool outputs_fit = is_autoencoder ? widths.back() == inputs : widths.back() == 1;
  if (!is_autoencoder && description.network.loss == Loss::BinaryCrossEntropy) {
    outputs_fit = outputs_fit && description.classes.size() == 2;
  }
  if (description.network.loss == Loss::SoftmaxCrossEntropy) {
    outputs_fit = description.classes.size() == widths.back();
  }
  return outputs_fit && description.feature_names.size() == inputs &&
         description.scaling.offset.size() == inputs &&
         description.scaling.factor.size() == inputs && all_finite(description.scaling.offset) &&
         all_finite(description.scaling.factor);
}

/// Whether a file has as many numbers as the network it describes: nothing is allocated that is not
/// there.
bool has_parameters(const checkpoint::Safetensors& file, const NetworkSpec& network) {
  std::uint64_t elements = 0;
  for (const auto& entry : file.entries())
    elements += (entry.end - entry.begin) / checkpoint::element_bytes(entry.type);
  const auto wanted = parameter_count(network);
  return wanted && *wanted <= elements;
}

std::optional<ModelDescription> read_description(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("scaling") || !json["scaling"].is_object())
    return std::nullopt;
  const Fields fields(json);
  const Fields scaling(json["scaling"]);
  ModelDescription description;
  int format = 0;
  std::string model;
  std::string loss;
  const bool is_read = fields.read("format", format) && fields.read("model", model) &&
                       fields.read("widths", description.network.widths) &&
                       fields.read("loss", loss) &&
                       fields.read("target", description.target_name) &&
                       fields.read("classes", description.classes) &&
                       fields.read("features", description.feature_names) &&
                       scaling.read("offset", description.scaling.offset) &&
                       scaling.read("factor", description.scaling.factor);
  if (!is_read || format != kFormatVersion) return std::nullopt;
  auto model_spec = parse_model_spec(model);
  auto loss_kind = parse_loss(loss);
  if (!model_spec || !loss_kind) return std::nullopt;
  description.model = *model_spec;
  description.network.activation = model_spec->activation;
  description.network.loss = *loss_kind;
  if (!is_consistent(description)) return std::nullopt;
  return description;
}

template <class From, class To>
void convert(std::span<const std::byte> bytes, void* to) {
  auto* values = static_cast<To*>(to);
  for (std::size_t i = 0; i < bytes.size() / sizeof(From); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    values[i] = static_cast<To>(value);
  }
}

void copy_tensor(std::span<const std::byte> bytes, checkpoint::TensorType from, void* to,
                 talweg_dtype dtype) {
  const bool from_float = from == checkpoint::TensorType::F32;
  if (dtype == TALWEG_F32) {
    from_float ? convert<float, float>(bytes, to) : convert<double, float>(bytes, to);
  } else {
    from_float ? convert<float, double>(bytes, to) : convert<double, double>(bytes, to);
  }
}

bool is_skipped(std::string_view tensor, std::span<const std::string> skip) {
  return std::any_of(skip.begin(), skip.end(), [&](const std::string& pattern) {
    return matches_pattern(pattern, std::string(tensor));
  });
}

support::Status check_tensor(const checkpoint::Safetensors& file, const std::string& source,
                             const ParameterTensor& parameter) {
  const auto* entry = file.find(parameter.name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const auto& candidate : file.entries()) names.push_back(candidate.name);
    return usage(fmt::format("{} has no tensor `{}`{}; it holds {}", source, parameter.name,
                             suggestion(parameter.name, names), list_names(names)));
  }
  if (entry->type != checkpoint::TensorType::F32 && entry->type != checkpoint::TensorType::F64) {
    return usage(fmt::format("{}: `{}` is of type {}; parameters are F32 or F64", source,
                             parameter.name, checkpoint::name(entry->type)));
  }
  if (entry->shape == parameter.shape) return support::ok();
  return usage(
      fmt::format("{}: `{}` has the shape [{}], but the model's is [{}]; to start that tensor "
                  "anew use --init-skip '{}'",
                  source, parameter.name, fmt::join(entry->shape, ", "),
                  fmt::join(parameter.shape, ", "), parameter.name));
}

}  // namespace

support::Status save_parameters(const std::filesystem::path& path, const Objective& objective,
                                const ModelDescription* description) {
  std::vector<checkpoint::TensorView> views;
  const auto type =
      objective.dtype() == TALWEG_F32 ? checkpoint::TensorType::F32 : checkpoint::TensorType::F64;
  for (const ParameterTensor& parameter : objective.parameters()) {
    views.push_back({parameter.name, type, parameter.shape, parameter.data});
  }
  checkpoint::Metadata metadata;
  if (description != nullptr) metadata[kModelKey] = json_text(to_json(*description));
  return checkpoint::write_safetensors(path, views, metadata);
}

support::Result<ModelFile> read_model_file(const std::filesystem::path& path) {
  auto tensors = checkpoint::Safetensors::read(path);
  if (!tensors) return tensors.failure();
  const auto found = tensors->metadata().find(kModelKey);
  if (found == tensors->metadata().end()) {
    return usage(
        fmt::format("{} does not say which model its tensors belong to; predict needs the "
                    "parameters of a talweg run on data",
                    path.string()));
  }
  auto description = read_description(found->second);
  if (!description || !has_parameters(*tensors, description->network)) {
    return usage(
        fmt::format("{}: the description of its model (`{}`) is damaged or of another version",
                    path.string(), kModelKey));
  }
  const bool is_double =
      !tensors->entries().empty() && tensors->entries().front().type == checkpoint::TensorType::F64;
  return ModelFile{std::move(*tensors), std::move(*description),
                   is_double ? TALWEG_F64 : TALWEG_F32};
}

support::Status copy_parameters(const checkpoint::Safetensors& file, const std::string& source,
                                std::span<const ParameterTensor> parameters, talweg_dtype dtype,
                                std::span<const std::string> skip) {
  for (const ParameterTensor& parameter : parameters) {
    if (is_skipped(parameter.name, skip)) continue;
    if (auto status = check_tensor(file, source, parameter); !status) return status;
  }
  for (const ParameterTensor& parameter : parameters) {
    if (is_skipped(parameter.name, skip)) continue;
    const auto* entry = file.find(parameter.name);
    copy_tensor(file.data(*entry), entry->type, parameter.data, dtype);
  }
  return support::ok();
}

}  // namespace talweg::train
