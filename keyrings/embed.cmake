# Writes OUTPUT: one constant array for each file of KEYRINGS and the list of them.
set(arrays "")
set(entries "")
foreach(keyring IN LISTS KEYRINGS)
  get_filename_component(name ${keyring} NAME_WE)
  string(MAKE_C_IDENTIFIER ${name} symbol)
  file(READ ${keyring} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "constexpr unsigned char k_${symbol}[] = {${bytes}};\n")
  string(APPEND entries "    {\"${name}\", {reinterpret_cast<const char *>(k_${symbol}), sizeof(k_${symbol})}},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"bundled_keyrings.hpp\"\n\nnamespace debroot {\nnamespace {\n${arrays}}  // namespace\n
std::vector<BundledKeyring> bundled_keyrings() {\n  return {\n${entries}  };\n}\n\n}  // namespace debroot\n")
