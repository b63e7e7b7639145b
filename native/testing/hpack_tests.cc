// The examples of RFC 7541, appendix C, and blocks that are none. Prints what failed and how many.
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>

#include "header_table.h"
#include "hpack.h"
#include "huffman.h"

namespace flamegate {
namespace {

int failures = 0;

void Expect(bool holds, std::string_view sentence) {
  if (holds) return;
  failures++;
  printf("not so: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
}

std::string Bytes(std::string_view hex) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(kDigits.find(hex[i]) * 16 + kDigits.find(hex[i + 1])));
  }
  return bytes;
}

struct Example {
  std::string_view block;
  std::string_view said;  // method, path, status
  uint32_t table_bytes;
  size_t table_fields;
};

void TestExamples(std::string_view section, uint32_t table_bytes, std::initializer_list<Example> examples) {
  HeaderTable table;
  table.Resize(table_bytes);
  for (const Example& example : examples) {
    HeaderFields fields;
    Expect(ReadHeaderBlock(Bytes(example.block), table, fields), section);
    Expect(fields.method + fields.path + fields.status == example.said, section);
    Expect(table.Size() == example.table_bytes && table.Length() == example.table_fields, section);
    Expect(!fields.has_unseen && table.IsComplete(), section);
  }
}

void TestAppendixC() {
  TestExamples("C.2.1, a literal that the table gets", 4096,
               {{"400a637573746f6d2d6b65790d637573746f6d2d686561646572", "", 55, 1}});
  TestExamples("C.2.2, one that it does not get", 4096,
               {{"040c2f73616d706c652f70617468", "/sample/path", 0, 0}});
  TestExamples("C.2.3, one that nobody may keep", 4096, {{"100870617373776f726406736563726574", "", 0, 0}});
  TestExamples("C.2.4, an indexed field", 4096, {{"82", "GET", 0, 0}});
  TestExamples("C.3, requests", 4096,
               {{"828684410f7777772e6578616d706c652e636f6d", "GET/", 57, 1},
                {"828684be58086e6f2d6361636865", "GET/", 110, 2},
                {"828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", "GET/index.html", 164, 3}});
  TestExamples("C.4, requests by Huffman's code", 4096,
               {{"828684418cf1e3c2e5f23a6ba0ab90f4ff", "GET/", 57, 1},
                {"828684be5886a8eb10649cbf", "GET/", 110, 2},
                {"828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", "GET/index.html", 164, 3}});
  TestExamples(
      "C.5, responses that push others out", 256,
      {{"4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
        "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "302", 222, 4},
       {"4803333037c1c0bf", "307", 222, 4},
       {"88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d"
        "4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b20766572"
        "73696f6e3d31",
        "200", 215, 3}});
  TestExamples(
      "C.6, responses by Huffman's code", 256,
      {{"488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b"
        "97c8e9ae82ae43d3",
        "302", 222, 4},
       {"4883640effc1c0bf", "307", 222, 4},
       {"88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdf"
        "cd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        "200", 215, 3}});
}

void TestHuffman() {
  auto decoded = [](std::string_view hex) {
    std::string text;
    return DecodeHuffman(Bytes(hex), text) ? text : "none";
  };
  Expect(decoded("f1e3c2e5f23a6ba0ab90f4ff") == "www.example.com", "short codes are letters");
  Expect(decoded("d07abe941054d444a8200595040b8166e082a62d1bff") == "Mon, 21 Oct 2013 20:13:21 GMT",
         "a date");
  Expect(decoded("ffc7") == std::string(1, '\0'), "13 bits are a zero");
  Expect(decoded("fffffbbf") == "\xff", "26 bits are the last byte");
  Expect(decoded("fffffff3") == "\n", "30 bits are a line end");
  Expect(decoded("").empty(), "nothing is nothing");
  Expect(decoded("ffffffff") == "none", "the end is no byte");
  Expect(decoded("1fff") == "none", "no byte is filled up with more than seven bits");
  Expect(decoded("00") == "none", "and only with ones");
}

void TestRefusals() {
  for (std::string_view block : {"80", "be", "ff", "ffffffffff0f", "44", "4405616263", "40826162", "0f",
                                 "8220", "3fe2ff04", "4481ff", "7f00"}) {
    HeaderTable table;
    HeaderFields fields;
    Expect(!ReadHeaderBlock(Bytes(block), table, fields), block);
  }
}

void TestUnseen() {
  HeaderTable table;
  table.Lose();
  HeaderFields first;
  Expect(ReadHeaderBlock(Bytes("82be7e0161440261"), table, first) == false, "a cut block is none");
  HeaderFields unseen;
  Expect(ReadHeaderBlock(Bytes("82be86"), table, unseen) && unseen.has_unseen && unseen.path.empty(),
         "what was said before is not known");
  HeaderFields named;
  Expect(ReadHeaderBlock(Bytes("7f0101614402"
                               "2f61"),
                         table, named) &&
             named.has_unseen && named.path == "/a",
         "a field whose name is not known may be any, what is said is known");
  HeaderFields again;
  Expect(ReadHeaderBlock(Bytes("bebf"), table, again) && again.path == "/a" && again.has_unseen,
         "numbers count from the newest field on");
  HeaderFields emptied;
  Expect(ReadHeaderBlock(Bytes("203fe11f"), table, emptied) && table.IsComplete(),
         "an emptied table is known");
}

}  // namespace
}  // namespace flamegate

int main() {
  flamegate::TestAppendixC();
  flamegate::TestHuffman();
  flamegate::TestRefusals();
  flamegate::TestUnseen();
  printf("%d failed\n", flamegate::failures);
  return flamegate::failures == 0 ? 0 : 1;
}
