#include <memory>
#include <string>

#include <CLI/Validators.hpp>

#include "commands/arguments.h"
#include "commands/command_model.h"
#include "commands/commands.h"
#include "support/errors.h"

namespace slopegan {

void setup_completion(CLI::App& command, Action& action) {
  const auto shell = std::make_shared<std::string>();
  command.add_option("shell", *shell, "Shell to generate the script for")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->type_name("SHELL");
  command.footer(
      "bash: source <(slopegan completion bash)\nzsh:  slopegan completion zsh > DIR/_slopegan, with DIR in $fpath\n"
      "cmake --install installs both scripts where the shells look for them.");
  command.callback([shell, &command, &action] {
    action = [shell, &command](const std::vector<std::string>&) {
      const CommandModel program = describe_commands(*command.get_parent());
      print(*shell == "bash" ? bash_completion(program) : zsh_completion(program));
      return static_cast<int>(ExitCode::done);
    };
  });
}

}  // namespace slopegan
