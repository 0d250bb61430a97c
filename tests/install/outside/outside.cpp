// outside <directory>: a program of somebody else, linked against an installed libconcord. Exits 0 when all is as promised.
#include <concord/concord.hpp>

#include <filesystem>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <vector>

namespace {

int failures = 0;

void expect(bool held, const char* what) {
  if (held) return;
  std::cerr << "not so: " << what << '\n';
  ++failures;
}

struct Conversion {
  std::vector<int> numbers;
};

void tag_invoke(boost::json::value_from_tag, boost::json::value& json, const Conversion& conversion) {
  if (conversion.numbers.empty()) throw std::runtime_error("nothing to convert");
  json = boost::json::value_from(conversion.numbers);
}

void values_cross_the_border() {
  const concord::Value text =
      "a text that is longer than the bytes that fit inside of a value, so that it is kept apart: "
      "0123456789 0123456789 0123456789 0123456789";
  const concord::Value copy = text;
  expect(copy == text, "a copy equals its origin");
  expect(copy.as<std::string>().has_value(), "a string is a string");
  expect(copy.as<int>().error().code() == concord::Errc::invalid_request, "a string is no number");
  expect(concord::Value(Conversion{{1, 2}}).json_text() == "[1,2]", "a type converts by its own function");
  expect(!concord::Value(Conversion{}).valid(), "an exception of a conversion stays an invalid value");
  expect(concord::error_name(concord::Errc::not_found) == "NOT_FOUND", "names of errors");
}

#ifdef OUTSIDE_OPENS_A_NODE
void a_node_keeps_what_it_was_given(const std::filesystem::path& directory) {
  concord::Revision written;
  for (const bool again : {false, true}) {
    auto node = concord::Node::open({.data_dir = directory});
    expect(node.has_value(), node ? "" : node.error().message().c_str());
    if (!node) return;
    if (!again) {
      const auto put = node->put("greeting", "hello");
      expect(put.has_value(), "a put is done");
      if (put) written = *put;
      std::promise<bool> later;
      node->async_put("later", 1, {},
                      [&](concord::Result<concord::Revision> done) { later.set_value(done.has_value()); });
      expect(later.get_future().get(), "an asynchronous put is done");
    }
    const auto entry = node->get_entry("greeting");
    expect(entry && entry->value == concord::Value("hello"), "what was put is got");
    expect(entry && entry->revision == written, "its revision is the one that put answered");
    expect(node->get<int>("later").value_or(0) == 1, "a typed get");
    expect(node->get("nothing").error().code() == concord::Errc::not_found, "a missing key is an error");
  }
}

void types_are_the_same_on_both_sides(const std::filesystem::path& directory) {
  auto node = concord::Node::open({.data_dir = directory});
  if (!node) return expect(false, "the second directory opens");
  concord::Store& store = *node;
  expect(dynamic_cast<concord::Node*>(&store) == &*node, "a store is known for the node that it is");
  expect(typeid(store) == typeid(concord::Node), "type information is one");
}
#endif

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path directory = arguments[1];
  std::filesystem::create_directories(directory);
  values_cross_the_border();
#ifdef OUTSIDE_OPENS_A_NODE
  a_node_keeps_what_it_was_given(directory / "one");
  types_are_the_same_on_both_sides(directory / "two");
#endif
  return failures == 0 ? 0 : 1;
}
