// CSV and IDX: what is read, and that every kind of broken file is refused with place and way out.
#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "runtime/train/csv.h"
#include "runtime/train/data_file.h"
#include "runtime/train/idx.h"
#include "runtime/train/load_table.h"
#include "runtime/train/random.h"

using namespace talweg;
using namespace talweg::train;

namespace {

Table read(std::string_view text, const CsvSettings& settings) {
  auto table = read_csv_table(text, "t.csv", settings);
  INFO((table ? "" : table.failure().message));
  REQUIRE(table.ok());
  return *table;
}

Table read(std::string_view text, const std::string& target = "") {
  CsvSettings settings;
  settings.target = target;
  return read(text, settings);
}

std::string refusal(std::string_view text, const CsvSettings& settings) {
  auto table = read_csv_table(text, "t.csv", settings);
  REQUIRE(!table.ok());
  // Content names its line and is the file's fault; a column that is not there, the caller's.
  const bool is_content =
      table.failure().message.find("t.csv:") == 0 && table.failure().message[6] != ' ';
  CHECK((table.failure().kind == support::FailureKind::Io || !is_content));
  CHECK(table.failure().kind != support::FailureKind::Program);
  return table.failure().message;
}

std::string refusal(std::string_view text, const std::string& target = "") {
  CsvSettings settings;
  settings.target = target;
  return refusal(text, settings);
}

using Names = std::vector<std::string>;
using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("a header is found where a feature cell is no number") {
  const Table with = read("a,b,y\n1,2,red\n3,4,blue\n", "y");
  CHECK(with.feature_names == Names{"a", "b"});
  CHECK(with.features == Numbers{1, 2, 3, 4});
  CHECK(with.target_text == Names{"red", "blue"});
  CHECK(with.lines == std::vector<std::uint64_t>{2, 3});
  const Table without = read("1,2,red\n3,4,blue\n", "-1");
  CHECK(without.rows == 2);
  CHECK(without.feature_names == Names{"column1", "column2"});
  CHECK(without.target_text == Names{"red", "blue"});
  CHECK(read("a,b,y\n1,2,3\n", "3").target_name == "y");
  CHECK(read("a,b,y\n1,2,3\n", "-3").target_name == "a");
  CHECK(read("1,2\n3,4\n").rows == 2);
}

TEST_CASE("the header can be said to be there or not") {
  CsvSettings settings;
  settings.header = HeaderMode::Yes;
  CHECK(read("1,2\n3,4\n", settings).feature_names == Names{"1", "2"});
  settings.header = HeaderMode::No;
  CHECK_THAT(refusal("a,b\n3,4\n", settings),
             Catch::Contains("t.csv:1") && Catch::Contains("column 1"));
  settings.target = "a";
  CHECK_THAT(refusal("a,b\n3,4\n", settings), Catch::Contains("give its number"));
}

TEST_CASE("a column may be named by a number in the header") {
  CsvSettings settings;
  settings.header = HeaderMode::Yes;
  settings.target = "7";
  CHECK(read("5,6,7\n1,2,3\n", settings).target_text == Names{"3"});
}

TEST_CASE("what files in the wild have is read") {
  CHECK(read("\xEF\xBB\xBFx,y\r\n1,2\r\n\r\n3,4", "y").features == Numbers{1, 3});
  CHECK(read("x;y\n1,5;2\n", "x").features == Numbers{2});
  CHECK(read("x\ty\n 1.5 \t2\n", "y").features == Numbers{1.5});
  CHECK(read("x,y\n+1e-3,2\n", "y").features == Numbers{1e-3});
  const Table quoted = read("\"x \"\"1\"\"\",y\n\"1\",\"a,\nb\"\n2,c\n", "y");
  CHECK(quoted.feature_names == Names{"x \"1\""});
  CHECK(quoted.target_text == Names{"a,\nb", "c"});
  CHECK(quoted.lines == std::vector<std::uint64_t>{2, 4});
}

TEST_CASE("broken rows are refused with line, column and a way out") {
  using Catch::Contains;
  CHECK_THAT(refusal(""), Contains("empty"));
  CHECK_THAT(refusal("\n\r\n\n"), Contains("empty"));
  CHECK_THAT(refusal("a,b\n"), Contains("no rows"));
  CHECK_THAT(refusal("a,b\n1,2\n3\n"),
             Contains("t.csv:3") && Contains("1 cells") && Contains("2 names"));
  CHECK_THAT(refusal("1,2\n3,4,5\n"), Contains("t.csv:2") && Contains("3 cells"));
  CHECK_THAT(refusal("a,b\n1,x\n"),
             Contains("t.csv:2") && Contains("column 2 (`b`)") && Contains("--target"));
  CHECK_THAT(refusal("a,b\n1,\n"),
             Contains("`b`") && Contains("missing") && Contains("--missing drop"));
  CHECK_THAT(refusal("a,b\n1,NA\n"), Contains("missing"));
  CHECK_THAT(refusal("a,b\n1,\n", "b"), Contains("`b`") && Contains("missing"));
  CHECK_THAT(refusal("a,b\n1,inf\n"), Contains("finite"));
  CHECK_THAT(refusal("a,b\n1,1e999\n"), Contains("not a number"));
  CHECK_THAT(refusal("a,b\n1,0x10\n"), Contains("not a number"));
  CHECK_THAT(refusal("a;b\n1;2,5\n", "a"), Contains("decimal point"));
  CHECK_THAT(refusal("a,a\n1,2\n"), Contains("two columns are named `a`"));
  CHECK_THAT(refusal("a,b\n1,\"2\n3,4\n"), Contains("t.csv:2") && Contains("never closed"));
  CHECK_THAT(refusal("a,b\n1,\"2\"x\n"), Contains("t.csv:2") && Contains("closing quote"));
  CHECK_THAT(refusal(std::string_view("a,b\n1,\0\n", 8)), Contains("NUL"));
  CHECK_THAT(refusal("\xFF\xFE"
                     "a"),
             Contains("UTF-16"));
  CHECK_THAT(refusal("a,b\n1," + std::string(100000, '7') + "\n"), Contains("65536"));
  CHECK_THAT(refusal("a\n" + std::string(1100000, ',') + "\n"), Contains("1048576"));
}

TEST_CASE("targets that are not there are refused with what there is") {
  using Catch::Contains;
  CHECK_THAT(refusal("size,label\n1,2\n", "lable"),
             Contains("did you mean `label`") && Contains("`size`"));
  CHECK_THAT(refusal("a,b\n1,2\n", "3"), Contains("no column 3") && Contains("1 to 2"));
  CHECK_THAT(refusal("a,b\n1,2\n", "0"), Contains("no column 0"));
  CHECK_THAT(refusal("a,b\n1,2\n", "-9223372036854775808"), Contains("no column"));
  CHECK_THAT(refusal("a\n1\n", "a"), Contains("no feature column"));
}

TEST_CASE("rows with missing values can be left out") {
  CsvSettings settings;
  settings.missing = MissingMode::DropRow;
  const Table table = read("a,b\n1,?\n2,3\n", settings);
  CHECK(table.rows == 1);
  CHECK(table.dropped_rows == 1);
  CHECK_THAT(refusal("a,b\n1,?\n", settings), Catch::Contains("no row is left"));
}

TEST_CASE("known features are found by name in any order, or by place without a header") {
  CsvSettings settings;
  settings.features = Names{"a", "b"};
  const Table table = read("b,other,a\n2,text,1\n", settings);
  CHECK(table.features == Numbers{1, 2});
  CHECK(table.unused_columns == Names{"other"});
  CHECK(read("1,2\n", settings).features == Numbers{1, 2});
  CHECK_THAT(refusal("1,2,3\n", settings), Catch::Contains("3 feature columns"));
  CHECK_THAT(refusal("a,bb\n1,2\n", settings),
             Catch::Contains("`b`") && Catch::Contains("did you mean `bb`"));
}

TEST_CASE("targets become numbers or classes") {
  const Table mixed = read("x,y\n1,10\n1,9\n1,red\n", "y");
  CHECK_THAT(number_targets(mixed).failure().message,
             Catch::Contains("t.csv:4") && Catch::Contains("red"));
  CHECK(class_targets(mixed)->classes == Names{"10", "9", "red"});
  const Table numbers = read("x,y\n1,10\n1,9\n", "y");
  CHECK(*number_targets(numbers) == Numbers{10, 9});
  CHECK(class_targets(numbers)->classes == Names{"9", "10"});
  CHECK(class_targets(numbers)->labels == std::vector<std::uint32_t>{1, 0});
  CHECK_THAT(class_targets(read("x,y\n1,2\n", "y")).failure().message,
             Catch::Contains("same value"));
  CHECK_THAT(class_targets(numbers, {"1", "9"}).failure().message,
             Catch::Contains("none of the classes"));
}

namespace {

std::string idx(std::initializer_list<std::uint32_t> sizes, std::size_t values) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(size >> shift);
  }
  for (std::size_t i = 0; i < values; ++i) bytes += static_cast<char>(i + 250);
  return bytes;
}

std::string idx_refusal(const std::string& images, std::optional<std::string_view> labels) {
  auto table = read_idx_table(images, "images", labels, "labels");
  REQUIRE(!table.ok());
  return table.failure().message;
}

}  // namespace

TEST_CASE("IDX images and labels are read") {
  const std::string images = idx({2, 2, 2}, 8);
  const std::string labels = idx({2}, 2);
  auto table = read_idx_table(images, "images", labels, "labels");
  REQUIRE(table.ok());
  CHECK(table->rows == 2);
  CHECK(table->features == Numbers{250, 251, 252, 253, 254, 255, 0, 1});
  CHECK(table->target_text == Names{"250", "251"});
}

TEST_CASE("IDX files that lie are refused") {
  using Catch::Contains;
  CHECK_THAT(idx_refusal(idx({2, 4}, 7), {}), Contains("8 values but has 7"));
  CHECK_THAT(idx_refusal(idx({2, 4}, 9), {}), Contains("has 9"));
  CHECK_THAT(idx_refusal(idx({4294967295U, 4294967295U, 4294967295U, 4294967295U}, 0), {}),
             Contains("more than"));
  CHECK_THAT(idx_refusal(idx({0, 4}, 0), {}), Contains("size 0"));
  CHECK_THAT(idx_refusal(idx({3}, 3), {}), Contains("one dimension"));
  CHECK_THAT(idx_refusal(std::string("\0\0\x08\x03\0", 5), {}), Contains("inside its header"));
  CHECK_THAT(idx_refusal(idx({2, 1}, 2), idx({3}, 3)),
             Contains("3 labels") && Contains("2 images"));
  CHECK_THAT(idx_refusal(idx({2, 1}, 2), "x"), Contains("labels is not an IDX file"));
  CHECK(!is_idx(""));
  CHECK(!is_idx(std::string_view("\0\0\x0d\x01", 4)));
}

TEST_CASE("files that cannot be read are refused by name") {
  CHECK(read_data_file("/nowhere/x.csv").failure().kind == support::FailureKind::Io);
  CHECK_THAT(read_data_file("/").failure().message, Catch::Contains("folder"));
  const std::string digits = std::string(TALWEG_SOURCE_DIR) + "/examples/data/digits.csv.gz";
  CHECK_THAT(read_data_file(digits, 1000).failure().message, Catch::Contains("limit"));
}

TEST_CASE("the data that ship are read") {
  const std::string folder = std::string(TALWEG_SOURCE_DIR) + "/examples/data/";
  const auto rows = [&](const char* file, const char* target, std::size_t columns) {
    CsvSettings settings;
    settings.target = target;
    auto loaded = load_table(folder + file, settings);
    INFO((loaded ? "" : loaded.failure().message));
    REQUIRE(loaded.ok());
    CHECK(loaded->table.columns() == columns);
    return loaded->table.rows;
  };
  CHECK(rows("digits.csv.gz", "label", 64) == 1797);
  CHECK(rows("breast_cancer.csv.gz", "diagnosis", 30) == 569);
  CHECK(rows("wine.csv", "cultivar", 13) == 178);
  CHECK(rows("iris.csv", "species", 4) == 150);
}

TEST_CASE("damaged texts are read or refused, whatever they hold") {
  const std::string whole =
      "\xEF\xBB\xBF"
      "a,\"b\"\"\",c\r\n1,2.5,\"x,\ny\"\n-3e4,NA,z\n;\t,,\n";
  constexpr std::string_view kBytes = "\",;\t\r\n01.e-+x?\0\xFF";
  RandomStream random(41, RandomPurpose::Data, 0);
  for (int trial = 0; trial < 20000; ++trial) {
    std::string text = whole.substr(0, random.below(static_cast<std::uint32_t>(whole.size()) + 1));
    for (std::uint32_t i = random.below(6); i > 0 && !text.empty(); --i) {
      const std::uint32_t at = random.below(static_cast<std::uint32_t>(text.size()));
      text[at] = kBytes[random.below(static_cast<std::uint32_t>(kBytes.size()))];
    }
    CsvSettings settings;
    settings.target = trial % 2 == 0 ? "c" : "-1";
    settings.missing = trial % 3 == 0 ? MissingMode::DropRow : MissingMode::Refuse;
    const auto table = read_csv_table(text, "t.csv", settings);
    if (!table) {
      REQUIRE(!table.failure().message.empty());
      continue;
    }
    REQUIRE(table->features.size() == std::size_t{table->rows} * table->columns());
    REQUIRE(table->target_text.size() == table->rows);
  }
}
