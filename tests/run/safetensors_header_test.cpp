#include "run/safetensors_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

TEST(SafetensorsHeader, ReturnsTensorsInTheOrderOfTheirData) {
  const auto header = parse_safetensors_header(
      R"({"b":{"shape":[2,1],"data_offsets":[2,10],"dtype":"F32"},"__metadata__":{"k":"v"},)"
      R"("e":{"dtype":"F64","shape":[3,0],"data_offsets":[2,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}  )",
      10);
  ASSERT_EQ(header.tensors.size(), 3u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[1].name, "e");
  EXPECT_EQ(header.tensors[1].shape, (std::vector<std::int64_t>{3, 0}));
  EXPECT_EQ(header.tensors[2].name, "b");
  EXPECT_EQ(header.tensors[2].dtype, c10::ScalarType::Float);
  EXPECT_EQ(header.tensors[2].begin, 2u);
  EXPECT_EQ(header.tensors[2].end, 10u);
  EXPECT_EQ(header.metadata, (SafetensorsMetadata{{"k", "v"}}));
}

TEST(SafetensorsHeader, AcceptsAnEmptyHeader) {
  EXPECT_TRUE(parse_safetensors_header("{}", 0).tensors.empty());
  EXPECT_TRUE(parse_safetensors_header(R"({"__metadata__":{}})", 0).tensors.empty());
}

TEST(SafetensorsHeader, RoundTrips) {
  SafetensorsHeader header;
  header.metadata = {{"a", "1"}, {"b", "2"}};
  header.tensors.push_back({.name = "x", .dtype = c10::ScalarType::Half, .shape = {2, 3}, .begin = 0, .end = 12});
  header.tensors.push_back({.name = "y", .dtype = c10::ScalarType::Bool, .shape = {}, .begin = 12, .end = 13});
  const std::string text = safetensors_header_text(header);
  EXPECT_EQ(text, R"({"__metadata__":{"a":"1","b":"2"},"x":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},)"
                  R"("y":{"dtype":"BOOL","shape":[],"data_offsets":[12,13]}})");
  EXPECT_EQ(safetensors_header_text(parse_safetensors_header(text, 13)), text);
}

TEST(SafetensorsHeader, ValidatesTensorNames) {
  EXPECT_TRUE(is_tensor_name("generator.0.weight"));
  EXPECT_TRUE(is_tensor_name(std::string(512, 'n')));
  EXPECT_FALSE(is_tensor_name(std::string(513, 'n')));
  EXPECT_FALSE(is_tensor_name(""));
  EXPECT_FALSE(is_tensor_name("__metadata__"));
  EXPECT_FALSE(is_tensor_name("a\x1b[1m"));
  EXPECT_FALSE(is_tensor_name("\xff"));
}

struct Hostile {
  std::string what;
  std::string json;
  std::string reason;
};

/// Prints the name shown by CTest.
void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.what; }

/// Returns a header with one tensor "a" that has these fields.
std::string tensor(const std::string& fields) { return join({"{\"a\":{", fields, "}}"}, ""); }

/// Returns a header with one entry, whose name is inserted into the JSON verbatim.
std::string named(const std::string& name, const std::string& value) {
  return join({"{\"", name, "\":", value, "}"}, "");
}

std::string shaped(const std::string& shape, const std::string& offsets = "[0,4]") {
  return tensor(join({R"("dtype":"F32","shape":)", shape, R"(,"data_offsets":)", offsets}, ""));
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// Returns a header with a tensor "a" of `first_size` bytes and a tensor "b" of two bytes, at these offsets.
std::string two_tensors(const std::string& first, const std::string& second, int first_size = 2) {
  const auto fields = [](int size, const std::string& offsets) {
    return format_text(R"({{"dtype":"U8","shape":[{}],"data_offsets":{}}})", size, offsets);
  };
  return join({R"({"a":)", fields(first_size, first), R"(,"b":)", fields(2, second), "}"}, "");
}

/// Each header belongs to a file with four bytes of data.
std::vector<Hostile> hostile_headers() {
  const std::string good = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  return {
      {"nothing", "", "does not start with {"},
      {"only spaces", "    ", "does not start with {"},
      {"a leading space", " {}", "does not start with {"},
      {"a byte order mark", "\xef\xbb\xbf{}", "does not start with {"},
      {"an array", "[]", "does not start with {"},
      {"a zero byte after the end", std::string("{}\0x", 4), "zero byte"},
      {"an unclosed object", "{", "not valid JSON at byte"},
      {"text after the end", "{} {}", "not valid JSON"},
      {"a trailing comma", join({R"({"a":)", good, ",}"}, ""), "not valid JSON"},
      {"a comment", "{/**/}", "not valid JSON"},
      {"NaN", R"({"a":NaN})", "not valid JSON"},
      {"invalid UTF-8", named("\xff", good), "not valid JSON"},
      {"half a surrogate pair", named(R"(\ud800)", good), "not valid JSON"},
      {"no tensors for the data", "{}", "4 bytes before the end"},
      {"a tensor that is null", R"({"a":null})", R"("a" is null)"},
      {"a tensor that is a number", R"({"a":1})", "is a number"},
      {"a tensor that is a string", R"({"a":"F32"})", "is a string"},
      {"a tensor that is true", R"({"a":true})", "is a boolean"},
      {"a tensor that is an array", R"({"a":[]})", "is an array"},
      {"deeply nested objects", repeated(R"({"a":)", 100000), R"("a" is unknown)"},
      {"deeply nested arrays", named("a", repeated("[", 100000)), "is an array"},
      {"deeply nested arrays in a shape", shaped(repeated("[", 100000)), "is an array"},
      {"an object in a tensor", tensor(R"("dtype":{})"), "is an object"},
      {"an object in a shape", tensor(R"("shape":[{}])"), "is an object"},
      {"the same tensor twice", join({R"({"a":)", good, R"(,"a":)", good, "}"}, ""), R"("a" is duplicated)"},
      {"the metadata twice", R"({"__metadata__":{},"__metadata__":{}})", "is duplicated"},
      {"a metadata key twice", R"({"__metadata__":{"k":"1","k":"2"}})", "is duplicated"},
      {"a number in the metadata", R"({"__metadata__":{"k":1}})", "is a number"},
      {"an object in the metadata", R"({"__metadata__":{"k":{}}})", "is an object"},
      {"an array in the metadata", R"({"__metadata__":{"k":[]}})", "is an array"},
      {"null in the metadata", R"({"__metadata__":{"k":null}})", "is null"},
      {"metadata as a string", R"({"__metadata__":"k"})", "is a string"},
      {"an empty name", named("", good), "not 1 to 512 bytes"},
      {"a long name", named(std::string(513, 'n'), good), "not 1 to 512 bytes"},
      {"a control character in a name", named(R"(a\u001b)", good), R"("a?" is not 1 to 512 bytes)"},
      {"a zero character in a name", named(R"(a\u0000b)", good), "not 1 to 512 bytes"},
      {"a tensor without fields", tensor(""), "is missing"},
      {"no dtype", tensor(R"("shape":[1],"data_offsets":[0,4])"), "is missing"},
      {"no shape", tensor(R"("dtype":"F32","data_offsets":[0,4])"), "is missing"},
      {"no offsets", tensor(R"("dtype":"F32","shape":[1])"), "is missing"},
      {"an unknown field", tensor(R"("dtype":"F32","stride":[1])"), R"("stride" is unknown)"},
      {"a field twice", tensor(R"("dtype":"F32","dtype":"F32")"), R"("dtype" is duplicated)"},
      {"an unknown dtype", tensor(R"("dtype":"F31")"), R"("F31" is not one of)"},
      {"a dtype in lower case", tensor(R"("dtype":"f32")"), R"("f32" is not one of)"},
      {"a number as dtype", tensor(R"("dtype":1)"), "is a number"},
      {"an array as dtype", tensor(R"("dtype":["F32"])"), "is an array"},
      {"a string as shape", tensor(R"("shape":"1")"), "is a string"},
      {"a string in the shape", shaped(R"(["1"])"), "is a string"},
      {"a number as shape", shaped("1"), "is a number"},
      {"a negative size", shaped("[-1]"), "is a negative number"},
      {"two negative sizes", shaped("[-1,-1]"), "is a negative number"},
      {"a fraction", shaped("[1.0]"), "is a fraction"},
      {"a size of 2^63", shaped("[9223372036854775808]"), "too large"},
      {"a size of 2^64", shaped("[18446744073709551616]"), "is a fraction or too large"},
      {"a product of 2^64 + 4 bytes", shaped("[4611686018427387905]"), "product is too large"},
      {"a product that wraps to 1", shaped("[3,12297829382473034411]"), "too large"},
      {"an overflow next to a zero", shaped("[0,4611686018427387904,4611686018427387904]", "[0,0]"), "too large"},
      {"65 dimensions", shaped(join({"[", repeated("1,", 64), "1]"}, "")), "more than 64 numbers"},
      {"a shape larger than the data", shaped("[2]"), "a data size that does not match"},
      {"data for an empty tensor", shaped("[0]"), "a data size that does not match"},
      {"no data for a scalar", shaped("[]", "[4,4]"), "a gap"},
      {"one offset", shaped("[1]", "[0]"), "does not have two numbers"},
      {"three offsets", shaped("[1]", "[0,4,4]"), "does not have two numbers"},
      {"offsets in reverse order", shaped("[1]", "[4,0]"), "ends before it begins"},
      {"negative offsets", shaped("[1]", "[-4,0]"), "is a negative number"},
      {"an end beyond the file", shaped("[2]", "[0,8]"), "beyond the end"},
      {"an end at 2^64 - 1", shaped("[1]", "[0,18446744073709551615]"), "beyond the end"},
      {"a gap at the start", shaped("[0]", "[4,4]"), "a gap"},
      {"a gap in the middle", two_tensors("[0,1]", "[2,4]", 1), R"("b" is preceded by a gap)"},
      {"a second tensor that ends beyond the file", two_tensors("[0,2]", "[3,5]"), R"("b" extends beyond the end)"},
      {"a gap at the end", tensor(R"("dtype":"U8","shape":[3],"data_offsets":[0,3])"), "1 byte before the end"},
      {"an overlap by one", two_tensors("[0,2]", "[1,3]"), R"("b" overlaps)"},
      {"the same data twice", two_tensors("[0,2]", "[0,2]"), R"("b" overlaps)"},
  };
}

class HostileHeader : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostileHeader, IsRejectedWithTheReason) {
  const std::string message = message_of<CheckpointError>([] { parse_safetensors_header(GetParam().json, 4); });
  EXPECT_THAT(message, HasSubstr(GetParam().reason));
  EXPECT_LT(message.size(), 400u);
}

std::string test_name(const ::testing::TestParamInfo<Hostile>& info) {
  std::string name;
  for (const char c : info.param.what) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
    if (c == ' ') name += '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Table, HostileHeader, ::testing::ValuesIn(hostile_headers()), test_name);

}  // namespace
}  // namespace slopegan
