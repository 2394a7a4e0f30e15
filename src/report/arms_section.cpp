#include <algorithm>

#include "report/html.h"
#include "report/sections.h"
#include "support/text.h"

namespace slopegan {

namespace {

std::string last_fd(const RunData& run) {
  if (run.metrics.empty() || !run.metrics.back().values.contains("fd")) return "–";
  return number_text(run.metrics.back().values.at("fd"));
}

std::string speed(const RunData& run) {
  if (run.history.empty()) return "–";
  double sum = 0;
  for (const auto& record : run.history) sum += record.images_per_second;
  return number_text(sum / static_cast<double>(run.history.size()));
}

std::vector<std::string> arm_cells(const ArmData& arm) {
  const auto& run = arm.run;
  const std::string loss_d = run.history.empty() ? "–" : number_text(run.history.back().discriminator_loss);
  const std::string loss_g = run.history.empty() ? "–" : number_text(run.history.back().generator_loss);
  return {escape(run.name), status_badge(run.status), grouped(run.images), last_fd(run), loss_d, loss_g, speed(run)};
}

std::string failures(const SweepData& sweep) {
  std::string items;
  for (const auto& arm : sweep.arms) {
    if (!arm.run.is_bad()) continue;
    std::string text = element("b", "", escape(arm.run.name)) + " " + status_badge(arm.run.status) + " at " +
                       grouped(arm.run.images) + " images";
    if (!arm.run.last_error.empty()) text += element("p", "class=\"words\"", escape(arm.run.last_error));
    items += element("li", "", text);
  }
  if (items.empty()) return {};
  return element("h3", "", "Arms that did not end well") + element("ul", "class=\"failures\"", items);
}

}  // namespace

std::string status_badge(const std::string& status) {
  const bool good = status == "done", bad = status == "diverged" || status == "failed" || status == "unreadable";
  return element("span", std::string("class=\"badge ") + (good ? "good" : bad ? "bad" : "open") + "\"", escape(status));
}

std::string arms_section(const SweepData& sweep) {
  Table table;
  table.header = {"arm", "status", "images", "FD", "loss D", "loss G", "images/s"};
  table.numeric = {false, false, true, true, true, true, true};
  for (const auto& arm : sweep.arms) {
    table.rows.push_back(arm_cells(arm));
    table.row_classes.push_back(arm.run.is_bad() ? "worse" : "");
  }
  const std::string all = table_html(table);
  const std::string heading = std::to_string(sweep.arms.size()) + " arms";
  // A long table would stand between the reader and the rest.
  const bool is_long = sweep.arms.size() > 24;
  return section("arms", "The arms",
                 failures(sweep) + element("details", is_long ? "" : "open", element("summary", "", heading) + all));
}

std::string notes_section(const std::vector<std::string>& notes) {
  if (notes.empty()) return {};
  constexpr std::size_t most = 50;
  std::string items;
  for (std::size_t i = 0; i < std::min(notes.size(), most); ++i) items += element("li", "", escape(notes[i]));
  if (notes.size() > most) items += element("li", "", std::to_string(notes.size() - most) + " more");
  return section("notes", "What this report lacks", element("ul", "class=\"notes\"", items));
}

}  // namespace slopegan
