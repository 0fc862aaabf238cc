// The report's writers as a program of their own, for the test of the page: write_report DIR
#include <iostream>

#include "report/report.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  touchstone::ReportOptions options;
  options.dir = argv[1];
  const auto status = touchstone::write_report(options);
  if (status) return 0;
  std::cerr << status.error().message << "\n";
  return 1;
}
