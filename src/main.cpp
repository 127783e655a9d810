#include <unistd.h>

#include "cli/run.hpp"
#include "debroot/build.hpp"

int main(int argument_count, char **arguments) {
  debroot::cli::Backend backend;
  backend.build = debroot::build;
  backend.plan_packages = debroot::plan_packages;
  return debroot::cli::run_process(argument_count, arguments, environ, backend);
}
