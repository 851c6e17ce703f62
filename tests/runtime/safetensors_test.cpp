// The format: what is written is read, and nothing malformed is.
#include "runtime/checkpoint/safetensors.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "runtime/checkpoint/named_tensors.h"
#include "runtime/support/file_io.h"

namespace talweg::checkpoint {
namespace {

struct TemporaryFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("talweg-safetensors-" + std::to_string(::getpid()));
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path); }
};

/// A file of this header and so many bytes of data.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, 'd');
}

std::string problem(const std::string& bytes) {
  const auto file = Safetensors::parse(bytes, "f");
  if (file.ok()) return "";
  CHECK(file.failure().kind == support::FailureKind::Io);
  const std::string& message = file.failure().message;
  const std::string none = "f is not a safetensors file: ";
  if (message.rfind(none, 0) == 0) return message.substr(none.size());
  const std::string wrong = "f is not a valid safetensors file: ";
  CHECK(message.rfind(wrong, 0) == 0);
  return message.substr(wrong.size());
}

/// One tensor of 2 float32.
std::string one(const std::string& name, const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE("what is written is read") {
  TemporaryFile file;
  const std::vector<float> floats{1, -0.0F, 1e-45F};
  const std::vector<double> doubles{2, 3};
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5};
  const std::int64_t integer = -7;
  const std::uint64_t natural = UINT64_MAX;
  const std::vector<TensorView> tensors{
      {"bytes \"\xCE\xB2\" \n", TensorType::U8, {5}, bytes.data()},
      {"floats", TensorType::F32, {3, 1}, floats.data()},
      {"none", TensorType::F32, {0, 9}, nullptr},
      {"doubles", TensorType::F64, {1, 2}, doubles.data()},
      {"integer", TensorType::I64, {}, &integer},
      {"natural", TensorType::U64, {1}, &natural},
  };
  const Metadata metadata{{"rule", "A | B"}, {"", ""}};
  REQUIRE(write_safetensors(file.path, tensors, metadata).ok());
  const auto read = Safetensors::read(file.path);
  REQUIRE(read.ok());
  CHECK(read->metadata() == metadata);
  CHECK(read->entries().size() == tensors.size());
  for (const TensorView& tensor : tensors) {
    const auto* entry = read->find(tensor.name);
    REQUIRE(entry != nullptr);
    CHECK(entry->type == tensor.type);
    CHECK(entry->shape == tensor.shape);
    CHECK(entry->begin % element_bytes(entry->type) == 0);
    const auto data = read->data(*entry);
    if (!data.empty()) CHECK(std::memcmp(data.data(), tensor.data, data.size()) == 0);
  }
  CHECK(read->find("other") == nullptr);
  // The data starts at a multiple of 8, as readers that map the file want it.
  std::uint64_t header = 0;
  const std::string text = *support::read_file(file.path);
  std::memcpy(&header, text.data(), 8);
  CHECK(header % 8 == 0);
}

TEST_CASE("a file without tensors") {
  TemporaryFile file;
  REQUIRE(write_safetensors(file.path, {}).ok());
  CHECK(Safetensors::read(file.path)->entries().empty());
}

TEST_CASE("files of other writers are read") {
  // Spaces, another order of keys, tensors not in the order of their data, an empty one between.
  CHECK(problem(file_of(R"({ "b" : {"shape": [2], "data_offsets": [8, 16], "dtype": "F32"},)"
                        R"("e":{"dtype":"U8","shape":[0],"data_offsets":[8,8]},)" +
                            one("a", "[0,8]") + "}   ",
                        16)) == "");
  CHECK(problem(file_of("{}", 0)) == "");
  CHECK(problem(file_of(R"({"__metadata__":{}})", 0)) == "");
}

TEST_CASE("malformed files are refused, and say where") {
  struct Row {
    const char* what;
    std::string bytes, message;
  };
  const std::string a = one("a", "[0,8]");
  const std::vector<Row> rows{
      {"empty", "", "it is shorter than 8 bytes"},
      {"seven bytes", std::string(7, '\0'), "it is shorter than 8 bytes"},
      {"no header", std::string(8, '\0'), "its header does not start with {"},
      {"huge length", std::string(8, '\xFF') + "{}",
       "its header would have 18446744073709551615 bytes"},
      {"length past the end", file_of("{}", 0).substr(0, 9),
       "its header has 2 bytes, but the file ends after 1"},
      {"space first", file_of(" {}", 0), "its header does not start with {"},
      {"a list", file_of("[]", 0), "its header does not start with {"},
      {"cut JSON", file_of("{\"a\":", 0), "in its header, it is not JSON at byte"},
      {"two values", file_of("{}{}", 0), "it is not JSON at byte"},
      {"not UTF-8", file_of("{\"\xFF\":1}", 0), "it is not JSON at byte"},
      {"NUL", file_of(std::string("{\0}", 3), 0), "it is not JSON at byte"},
      {"tensor is a number", file_of(R"({"a":1})", 0),
       "there is a number where it does not belong, at key `a`"},
      {"tensor is a list", file_of(R"({"a":[]})", 0), "there is a list where it does not belong"},
      {"tensor is null", file_of(R"({"a":null})", 0), "there is null where it does not belong"},
      {"duplicate tensor", file_of("{" + a + "," + a + "}", 8), "the key `a` is given twice"},
      {"duplicate metadata", file_of(R"({"__metadata__":{"x":"1","x":"1"}})", 0),
       "the metadata key `x` is given twice"},
      {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{}})", 0),
       "the key `__metadata__` is given twice"},
      {"metadata not text", file_of(R"({"__metadata__":{"x":1}})", 0),
       "there is a number where it does not belong, at key `x`"},
      {"metadata nested", file_of(R"({"__metadata__":{"x":{}}})", 0),
       "there is an object where it does not belong"},
      {"metadata a text", file_of(R"({"__metadata__":"x"})", 0),
       "there is a text where it does not belong"},
      {"duplicate dtype",
       file_of(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8),
       "tensor `a` has the key `dtype` twice"},
      {"no dtype", file_of(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8),
       "tensor `a` lacks a dtype"},
      {"no shape", file_of(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8),
       "tensor `a` lacks a shape"},
      {"no offsets", file_of(R"({"a":{"dtype":"F32","shape":[2]}})", 8),
       "tensor `a` lacks data_offsets"},
      {"unknown key", file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", 8),
       "tensor `a` has an unknown key `x`"},
      {"unknown type", file_of(R"({"a":{"dtype":"Q8","shape":[2],"data_offsets":[0,8]}})", 8),
       "tensor `a` has dtype `Q8`, which is not read"},
      {"type a number", file_of(R"({"a":{"dtype":3}})", 0),
       "there is a number where it does not belong"},
      {"negative size", file_of(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8),
       "there is a negative number"},
      {"broken size", file_of(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8),
       "no integer below 2^64"},
      {"size past 64 bits", file_of(R"({"a":{"dtype":"F32","shape":[18446744073709551616]}})", 8),
       "no integer below 2^64"},
      {"infinite number", file_of(R"({"a":{"dtype":"F32","shape":[1e999]}})", 8),
       "it is not JSON at byte"},
      {"nested shape", file_of(R"({"a":{"shape":[[2]]}})", 8),
       "there is a list where it does not belong"},
      {"text in shape", file_of(R"({"a":{"shape":["2"]}})", 8),
       "there is a text where it does not belong"},
      {"one offset", file_of("{" + one("a", "[0]") + "}", 8),
       "the data_offsets of tensor `a` are not two numbers"},
      {"three offsets", file_of("{" + one("a", "[0,8,8]") + "}", 8),
       "the data_offsets of tensor `a` are not two numbers"},
      {"backwards", file_of("{" + one("a", "[8,0]") + "}", 8), "tensor `a` ends before it begins"},
      {"too few bytes", file_of("{" + one("a", "[0,7]") + "}", 7),
       "tensor `a` has shape [2] of F32, 8 bytes, but 7 bytes of data"},
      {"product wraps",
       file_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
       "tensor `a` has more bytes than can be counted"},
      {"bytes wrap",
       file_of(R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0),
       "tensor `a` has more bytes than can be counted"},
      {"cut off", file_of("{" + a + "}", 7),
       "tensor `a` reaches past the end; the file is cut off"},
      {"bytes left", file_of("{" + a + "}", 9), "1 bytes at its end belong to no tensor"},
      {"hole first", file_of("{" + one("a", "[8,16]") + "}", 16),
       "there is a hole before tensor `a`"},
      {"hole between", file_of("{" + a + "," + one("b", "[12,20]") + "}", 20),
       "there is a hole before tensor `b`"},
      {"overlap", file_of("{" + a + "," + one("b", "[4,12]") + "}", 12),
       "tensor `b` overlaps the one before it"},
      {"same data", file_of("{" + a + "," + one("b", "[0,8]") + "}", 8),
       "overlaps the one before it"},
      {"offset past 63 bits",
       file_of("{" + one("a", "[18446744073709551608,18446744073709551615]") + "}", 8),
       "8 bytes, but 7 bytes"},
      {"terminal escape", file_of(R"({"\u001b[2J":1})", 0), "at key `?[2J`"},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const std::string found = problem(row.bytes);
    INFO(found);
    CHECK(found.find(row.message) != std::string::npos);
    CHECK_FALSE(found.empty());
  }
}

TEST_CASE("deep nesting and long names stop early") {
  CHECK_FALSE(problem(file_of("{\"a\":" + std::string(2000000, '['), 0)).empty());
  CHECK_FALSE(problem(file_of("{\"a\":" + std::string(2000000, '{'), 0)).empty());
  std::string shape = "1";
  for (int i = 0; i < 64; ++i) shape += ",1";
  CHECK(problem(file_of(R"({"a":{"dtype":"U8","shape":[)" + shape + R"(],"data_offsets":[0,1]}})",
                        1)) == "in its header, tensor `a` has a rank over 64");
  CHECK(problem(file_of("{\"" + std::string(1000000, 'n') + "\":1}", 0)).size() < 300);
}

TEST_CASE("no cut or changed file is taken for something else, and none crashes") {
  const std::string good = file_of("{" + one("a", "[0,8]") + "," + one("b", "[8,16]") + "}", 16);
  REQUIRE(problem(good).empty());
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_FALSE(problem(good.substr(0, length)).empty());
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (int change = 0; change < 1 + i % 3; ++change)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto file = Safetensors::parse(bytes, "f");
    if (!file.ok()) continue;
    std::size_t total = 0;
    for (const auto& entry : file->entries()) total += file->data(entry).size();
    REQUIRE(total == 16);
  }
}

TEST_CASE("what cannot be written is refused before the disk is touched") {
  const std::filesystem::path path = "/nonexistent/file";
  const float value = 1;
  const TensorView tensor{"a", TensorType::F32, {}, &value};
  const auto refused = [&](const std::vector<TensorView>& tensors, const Metadata& metadata,
                           const char* words) {
    const auto status = write_safetensors(path, tensors, metadata);
    REQUIRE_FALSE(status.ok());
    INFO(status.failure().message);
    CHECK(status.failure().kind == support::FailureKind::Usage);
    CHECK(status.failure().message.find(words) != std::string::npos);
  };
  refused({tensor, tensor}, {}, "the tensor name `a` is used twice");
  TensorView bad = tensor;
  bad.name = "__metadata__";
  refused({bad}, {}, "is reserved");
  bad.name = "\xFF";
  refused({bad}, {}, "not UTF-8");
  refused({tensor}, {{"k", "\xC3("}}, "not UTF-8");
  bad = tensor;
  bad.shape = {UINT64_MAX};
  refused({bad}, {}, "larger than a file can be");
  CHECK(write_safetensors(path, {&tensor, 1}).failure().kind == support::FailureKind::Io);
}

TEST_CASE("tensors are loaded all or none") {
  TemporaryFile file;
  const std::vector<float> a{1, 2}, b{3};
  REQUIRE(
      write_safetensors(file.path, std::vector<TensorView>{{"a", TensorType::F32, {2}, a.data()},
                                                           {"b", TensorType::F32, {1}, b.data()}})
          .ok());
  std::vector<float> into_a(2), into_b(1);
  std::vector<TensorTarget> targets{{"a", TensorType::F32, {2}, into_a.data()},
                                    {"b", TensorType::F32, {1}, into_b.data()}};
  REQUIRE(load_tensors(file.path, targets).ok());
  CHECK(into_a == a);
  CHECK(into_b == b);

  into_a = {0, 0};
  targets[1].name = "c";
  targets.push_back({"d", TensorType::F32, {}, nullptr});
  const std::string message = load_tensors(file.path, targets).failure().message;
  CHECK(message.find("missing (2): `c`, `d`") != std::string::npos);
  CHECK(message.find("unexpected (1): `b`") != std::string::npos);
  CHECK(into_a == std::vector<float>{0, 0});

  targets = {{"a", TensorType::F64, {2}, into_a.data()},
             {"b", TensorType::F32, {1, 1}, into_b.data()}};
  CHECK(load_tensors(file.path, targets)
            .failure()
            .message.find(
                "different (2): `a` is F32 [2], not F64 [2], `b` is F32 [1], not F32 [1, 1]") !=
        std::string::npos);
}

}  // namespace talweg::checkpoint
