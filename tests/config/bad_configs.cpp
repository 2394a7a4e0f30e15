#include "config/bad_configs.h"

#include <limits>

#include "config/fields.h"
#include "config/keys.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {
namespace {

struct BadValue {
  std::string yaml;  ///< on one line
  std::string hint;
};
using BadValues = std::vector<BadValue>;

BadValues with_hint(const std::vector<std::string>& values, const std::string& hint) {
  BadValues bad;
  for (const auto& value : values) bad.push_back({value, hint});
  return bad;
}

std::string allowed_text(const std::string& rule) { return "allowed: " + rule; }

/// Values that every rule for numbers rejects.
const std::vector<std::string> no_numbers = {"ten",   "\"1\"", "[1]",        "{a: 1}", "true",
                                             "0x10",  "1e",    "1 2",        ".nan",   ".inf",
                                             "-.inf", "1e999", "\"\\e[2J\"", "",       "2026-01-31"};

BadValues bad_values(const Integers& rule) {
  auto values = no_numbers;
  for (const char* value : {"0.5", "99999999999999999999", "-99999999999999999999"}) values.emplace_back(value);
  values.push_back(std::to_string(rule.min - 1));
  if (rule.max < std::numeric_limits<std::int64_t>::max()) values.push_back(std::to_string(rule.max + 1));
  return with_hint(values, allowed_text(allowed(rule)));
}

BadValues bad_values(const OneOf& rule) {
  auto values = no_numbers;
  for (const auto value : rule.values) {
    const bool allowed_too = contains(rule.values, value + 1);
    if (!allowed_too) values.push_back(std::to_string(value + 1));
  }
  return with_hint(values, allowed_text(allowed(rule)));
}

BadValues bad_values(const Reals& rule) {
  auto values = no_numbers;
  values.push_back(shortest(rule.min_open ? rule.min : rule.min - 0.001));
  values.push_back(shortest(rule.max_open ? rule.max : rule.max + 0.001));
  return with_hint(values, allowed_text(allowed(rule)));
}

BadValues bad_values(Flag rule) {
  return with_hint({"yes", "on", "1", "0", "tru", "\"true\"", "[true]", "{a: true}", ""}, allowed_text(allowed(rule)));
}

BadValues bad_values(TextRule rule) {
  std::vector<std::string> values = {"\"\"",         "[a]",       "{a: b}",    "",
                                     "\"a\\e[2Jb\"", "\"a\\0b\"", "\"a\\nb\"", "\"\\x9b\""};
  if (rule == TextRule::path) {
    values.push_back(std::string(4097, 'p'));
  } else if (rule == TextRule::colour) {
    values.insert(values.end(), {"\"#12345\"", "\"#1234567\"", "\"#12345g\"", "red", "White", "\"123456\""});
  } else {
    for (const char* name : {".", "..", "../x", "a/b", "/etc/x", "a b", "a\\b", "\xc3\xa9", "~root"}) {
      values.push_back('"' + (std::string(name) == "a\\b" ? "a\\\\b" : std::string(name)) + '"');
    }
    values.push_back(std::string(65, 'n'));
  }
  return with_hint(values, allowed_text(allowed(rule)));
}

template <class Enum>
BadValues bad_values(Words<Enum> rule) {
  const auto words = words_of<Enum>();
  BadValues bad = with_hint({"\"\\e[31m\"", "[a]", "{a: b}", "", "0.5"}, allowed_text(allowed(rule)));
  for (const auto& word : words) {
    if (word.size() < 4) continue;  // too short for a suggestion
    const std::string typo = word.substr(0, word.size() - 1) + "~";
    bad.push_back({typo, "did you mean " + nearest(typo, words) + "?"});
  }
  return bad;
}

template <class Rule>
BadValues bad_values(const ListOf<Rule>& rule) {
  std::string too_long = "[";
  for (std::size_t i = 0; i <= rule.max_size; ++i) too_long += "1,";
  BadValues bad = with_hint({"1", "word", "{a: 1}", "", too_long + "]"}, allowed_text(allowed(rule)));
  for (const auto& each : bad_values(rule.each)) {
    if (!each.yaml.empty()) bad.push_back({"[" + each.yaml + "]", each.hint});
  }
  return bad;
}

BadValues bad_values(const Slopes& rule) {
  BadValues bad = with_hint({"[]", "[0.1]", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "{}", "{from: 0.1, to: 0.2}"},
                            allowed_text(allowed(rule)));
  for (const auto& value : {"ten", "\"0.2\"", ".nan", "-3", "2.5", ""})
    bad.push_back({value, "allowed: a number from -2"});
  for (const auto& each : bad_values(rule.slope)) {
    if (!each.yaml.empty()) bad.push_back({"[0.1, " + each.yaml + ", 0.2]", each.hint});
    bad.push_back({"{from: " + each.yaml + ", to: 0.1, over_images: 10}", each.hint});
  }
  bad.push_back(
      {"{from: 0.3, to: 0.1, over_images: 10, till: 3}", "the keys of a schedule are from, to, over_images, shape"});
  bad.push_back({"{from: 0.3, to: 0, over_images: 10, shape: log}", "from and to must be above 0"});
  return bad;
}

BadValues bad_values(const Extractors& rule) {
  BadValues bad = with_hint({"[]", "{a: b}", "", "[[a]]", "[a, b, c, d, e]"}, allowed_text(allowed(rule)));
  for (const auto& each : bad_values(TextRule::path)) {
    if (!each.yaml.starts_with('"')) continue;
    bad.push_back(each);
    bad.push_back({"[auto, " + each.yaml + "]", each.hint});
  }
  return bad;
}

BadValues bad_values(const Conditions& rule) {
  BadValues bad =
      with_hint({"1", "word", "", "{generator.norm: batch}", "{generator.norm: []}"}, allowed_text(allowed(rule)));
  for (const auto& [yaml, hint] : {std::pair{"{generator.norms: [none]}", "generator.norms is not a key; did you mean"},
                                   {"{norm: [none]}", "did you mean generator.norm or discriminator.norm?"},
                                   {"[{norm: none}]", "did you mean generator.norm or discriminator.norm?"},
                                   {"{seed: [1]}", "seed cannot vary within a sweep"},
                                   {"{sweep.seeds: [[1]]}", "sweep.seeds cannot vary within a sweep"},
                                   {"[{metrics.samples: 100}]", "metrics.samples cannot vary within a sweep"},
                                   {"{generator.norm: [batch, layer]}", "sweep.cross: generator.norm = layer is not"},
                                   {"[{loss.r1: -1}]", "sweep.cross: loss.r1 = -1 is out of range"},
                                   {"[{loss.r1: 1}, {loss.r1: 1.0}]", "contains the condition {loss.r1: 1} twice"},
                                   {"[1]", "allowed: a condition such as"}}) {
    bad.push_back({yaml, hint});
  }
  std::string many = "{loss.r1: [0";
  for (std::size_t i = 1; i <= rule.max_size; ++i) many += "," + std::to_string(i);
  bad.push_back({many + "]}", "allowed: a map"});
  return bad;
}

/// A file that sets `key` to `value` on line value_line.
std::string file_with(const std::string& key, const std::string& value) {
  const std::size_t dot = key.find('.');
  if (dot == std::string::npos) return "# a file\n\n" + key + ": " + value + "\n";
  return "# a file\n" + key.substr(0, dot) + ":\n  " + key.substr(dot + 1) + ": " + value + "\n";
}
constexpr int value_line = 3;

/// Adds mistakes in the key itself. The value is always 1.
void add_bad_keys(const std::string& key, std::vector<BadConfig>& all) {
  const std::size_t dot = key.find('.') + 1;  // 0 if the key has no section
  const std::string section = key.substr(0, dot), name = key.substr(dot);
  const auto add = [&](const std::string& what, const std::string& text, const std::string& hint,
                       int line = value_line) { all.push_back({key + ": " + what, text, line, hint}); };
  if (name.size() > 3 && name.back() != name[name.size() - 2]) {
    const std::string typo = name.substr(0, name.size() - 2) + name.back() + name[name.size() - 2];
    add("swapped letters", file_with(section + typo, "1"), "did you mean ");
  }
  add("an escape in the key", file_with(section + "\"" + name + "\\e[2J\"", "1"), key + "?[2J is not a key; ");
  add("a tag", file_with(key, "!!str 1"), "tags (tag:yaml.org,2002:str) are not allowed");
  add("an anchor", file_with(key, "&a 1"), "anchors (&name) are not allowed");
  const std::string again = (section.empty() ? "" : "  ") + name + ": 1\n";
  add("given twice", file_with(key, "1") + again, key + " is given twice, first on line 3", value_line + 1);
  if (!section.empty()) {
    add("dotted", key + ": 1\n", "write " + section.substr(0, dot - 1) + ": {" + name + ": ...}", 1);
    const bool ambiguous = is_section(name);  // as in metrics.samples, because samples is also a section
    add("without its section", name + ": 1\n", ambiguous ? "is a section with the keys" : "did you mean ", 1);
  }
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

std::vector<BadConfig> bad_configs() {
  std::vector<BadConfig> all;
  Config config;
  visit_fields(config, [&](std::string_view name, auto&, const auto& rule, std::string_view) {
    const std::string key(name);
    for (const auto& bad : bad_values(rule)) {
      all.push_back({key + ": " + bad.yaml, file_with(key, bad.yaml), value_line, bad.hint});
    }
    add_bad_keys(key, all);
  });
  return all;
}

std::vector<BadConfig> hostile_yaml() {
  const std::string binary = "not UTF-8 text, or contains control characters";
  return {
      {"deep lists", "\nseed: " + repeated("[", 100000), 2, "more than 16 levels"},
      {"deep maps", "\nseed: " + repeated("{a: ", 100000), 2, "more than 16 levels"},
      {"deep blocks", "seed:\n" + repeated("- ", 100000), 2, "more than 16 levels"},
      {"deep keys", repeated("? ", 100000), 1, "more than 16 levels"},
      {"an alias bomb", "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n", 1, "anchors (&name) are not allowed"},
      {"a merge key", "seed: 1\n<<: *a\n", 2, ""},
      {"a Python object", "seed: !!python/object/apply:os.system [id]\n", 1, "tags ("},
      {"two documents", "seed: 0\n---\nseed: 1\n", 2, "only one is allowed"},
      {"a byte that is not UTF-8", "seed: 0\n# \xff\n", 2, binary},
      {"an overlong sequence", "run:\n  name: \xc0\xaf\n", 2, binary},
      {"a surrogate", "# \xed\xa0\x80\n", 1, binary},
      {"UTF-16", std::string("\xff\xfes\0e\0e\0d\0", 10), 1, binary},
      {"a zero byte", std::string("seed: 0\0\n", 9), 1, binary},
      {"an executable",
       "\x7f"
       "ELF\x02\x01\x01",
       1, binary},
      {"a terminal escape sequence", "seed: 0\n\x1b[2J: 1\n", 2, binary},
      {"tabs as indentation", "generator:\n\twidth: 3\n", 2, "not valid YAML"},
      {"an unterminated list", "\n\nseed: [1, 2\n", 4, "not valid YAML"},
      {"an unterminated quote", "seed: \"abc\n", 1, "is text in quotes"},
      {"a map in a map", "seed: a: b\n", 1, "not valid YAML"},
      {"a list instead of keys", "- seed\n- 1\n", 1, "the file must contain keys with values"},
      {"a word instead of keys", "seed", 1, "the file must contain keys with values"},
      {"a list as a key", "seed: 0\n? [a]\n: 1\n", 2, "a key must be a name"},
      {"null as a key", "~: 1\n", 1, "a key must be a name"},
      {"a section that is a number", "seed: 0\ntraining: 3\n", 2, "is a section with the keys total_images"},
      {"a section that is a list", "training: [1]\n", 1, "is a section with the keys total_images"},
      {"a key with a hundred thousand letters", repeated("k", 100000) + ": 1\n", 1, ""},
      {"an unknown key", "colour: red\n", 1, "allowed: seed, run, data, generator"},
      {"an unknown key in a section", "ema:\n  zzzzzz: 1\n", 2, "allowed: half_life_images"},
  };
}

std::vector<BadOverride> bad_overrides() {
  std::vector<BadOverride> all = {
      {"", "not of the form key=value"},
      {"seed", "not of the form key=value"},
      {"=1", "not of the form key=value"},
      {"\x1b[2J=1", "is not a key"},
      {"seed=\xff", "not UTF-8 text"},
      {"generator=1", "is a section with the keys"},
      {"batch_size=8", "did you mean training.batch_size?"},
      {"run.name=../x", "but not . or .."},
      {"data.path=a #b", "put the value in double quotes"},
  };
  Config config;
  visit_fields(config, [&](std::string_view name, auto&, const auto& rule, std::string_view) {
    for (const auto& bad : bad_values(rule)) all.push_back({std::string(name) + "=" + bad.yaml, bad.hint});
  });
  return all;
}

}  // namespace slopegan
