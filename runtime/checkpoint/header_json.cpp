// Expects, and takes nothing else:
//
//   { "__metadata__": { TEXT: TEXT, ... },
//     NAME: { "dtype": TEXT, "shape": [INTEGER, ...], "data_offsets": [INTEGER, INTEGER] }, ... }
#include "runtime/checkpoint/header_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "runtime/checkpoint/message_text.h"

namespace talweg::checkpoint {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxRank = 64;
constexpr std::string_view kMetadata = "__metadata__";

class HeaderReader final : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderReader(Header& header) : header_(header) {}
  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    return unexpected("a number that is no integer below 2^64");
  }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::Shape && place_ != Place::Offsets) return unexpected("a number");
    numbers_.push_back(value);
    if (place_ == Place::Shape && numbers_.size() > kMaxRank)
      return fail("tensor " + in_quotes(entry_.name) + " has a rank over 64");
    if (place_ == Place::Offsets && numbers_.size() > 2) return offsets_problem();
    return true;
  }

  bool string(string_t& text) override {
    if (place_ == Place::MetadataValue) {
      header_.metadata.emplace(key_, text);
      place_ = Place::Metadata;
      return true;
    }
    if (place_ != Place::Type) return unexpected("a text");
    const std::optional<TensorType> type = find_tensor_type(text);
    if (!type)
      return fail("tensor " + in_quotes(entry_.name) + " has dtype " + in_quotes(text) +
                  ", which is not read (F64, F32, I64, U64 and U8 are)");
    entry_.type = *type;
    place_ = Place::Entry;
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::Start) {
      place_ = Place::Root;
    } else if (place_ == Place::RootValue) {
      place_ = key_ == kMetadata ? Place::Metadata : Place::Entry;
      has_type_ = has_shape_ = has_offsets_ = false;
      entry_ = {};
      entry_.name = key_;
    } else {
      return unexpected("an object");
    }
    return true;
  }

  bool key(string_t& key) override {
    key_ = key;
    if (place_ == Place::Root) {
      place_ = Place::RootValue;
      return names_.insert(key).second || fail("the key " + in_quotes(key) + " is given twice");
    }
    if (place_ == Place::Metadata) {
      place_ = Place::MetadataValue;
      return header_.metadata.count(key) == 0 ||
             fail("the metadata key " + in_quotes(key) + " is given twice");
    }
    if (key == "dtype") return begin_member(Place::Type, has_type_);
    if (key == "shape") return begin_member(Place::ShapeStart, has_shape_);
    if (key == "data_offsets") return begin_member(Place::OffsetsStart, has_offsets_);
    return fail("tensor " + in_quotes(entry_.name) + " has an unknown key " + in_quotes(key));
  }

  bool end_object() override {
    if (place_ == Place::Entry) {
      if (!has_type_ || !has_shape_ || !has_offsets_)
        return fail("tensor " + in_quotes(entry_.name) + " lacks " +
                    (!has_type_    ? "a dtype"
                     : !has_shape_ ? "a shape"
                                   : "data_offsets"));
      header_.entries.push_back(std::move(entry_));
    }
    place_ = place_ == Place::Root ? Place::End : Place::Root;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::ShapeStart && place_ != Place::OffsetsStart) return unexpected("a list");
    place_ = place_ == Place::ShapeStart ? Place::Shape : Place::Offsets;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    if (place_ == Place::Shape) {
      entry_.shape = numbers_;
    } else {
      if (numbers_.size() != 2) return offsets_problem();
      entry_.begin = numbers_[0];
      entry_.end = numbers_[1];
    }
    place_ = Place::Entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    return fail("it is not JSON at byte " + std::to_string(position));
  }

 private:
  /// What is being read.
  enum class Place : std::uint8_t {
    Start,          // before the opening brace
    Root,           // a key, or the end
    RootValue,      // a tensor's object, or the metadata's
    Metadata,       // a key of it, or its end
    MetadataValue,  // its text
    Entry,          // a key of a tensor, or its end
    Type,           // the text of "dtype"
    ShapeStart,     // the opening bracket
    Shape,          // a number, or the closing bracket
    OffsetsStart,
    Offsets,
    End,
  };

  bool fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }

  bool unexpected(const std::string& what) {
    if (place_ == Place::Start) return fail("it is not an object");
    return fail("there is " + what + " where it does not belong, at key " + in_quotes(key_));
  }

  bool begin_member(Place place, bool& has_it) {
    if (std::exchange(has_it, true))
      return fail("tensor " + in_quotes(entry_.name) + " has the key " + in_quotes(key_) +
                  " twice");
    place_ = place;
    return true;
  }

  bool offsets_problem() {
    return fail("the data_offsets of tensor " + in_quotes(entry_.name) + " are not two numbers");
  }

  Header& header_;
  std::string problem_;
  Place place_ = Place::Start;
  std::string key_;
  std::set<std::string> names_;
  Safetensors::Entry entry_;
  bool has_type_ = false, has_shape_ = false, has_offsets_ = false;
  std::vector<std::uint64_t> numbers_;
};

}  // namespace

std::string read_header(std::string_view json, Header& header) {
  HeaderReader reader(header);
  Json::sax_parse(json.begin(), json.end(), &reader);
  return reader.problem();
}

std::string header_text(const std::vector<Safetensors::Entry>& entries, const Metadata& metadata) {
  // Appended entry by entry: an object of the library would put them in another order.
  const auto text = [](const std::string& value) { return Json(value).dump(); };
  std::string header = "{";
  try {
    if (!metadata.empty()) header += text(std::string(kMetadata)) + ":" + Json(metadata).dump();
    for (const Safetensors::Entry& entry : entries) {
      if (header.size() > 1) header += ",";
      header += text(entry.name) + ":{\"dtype\":" + text(std::string(name(entry.type))) +
                ",\"shape\":" + Json(entry.shape).dump() + ",\"data_offsets\":[" +
                std::to_string(entry.begin) + "," + std::to_string(entry.end) + "]}";
    }
  } catch (const Json::type_error&) {
    return "";  // not UTF-8
  }
  return header + "}";
}

}  // namespace talweg::checkpoint
