#include "base/trace.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/wire.hpp"

namespace debroot::base {
namespace {

TEST(TraceTest, NotesWhatEndsFirstFirst) {
  Trace trace(SpanProcess::builder);
  {
    Trace::Timer outer = trace.time(SpanKind::stage, "install");
    Trace::Timer inner = trace.time(SpanKind::script, "postinst of dash");
  }
  std::vector<Span> spans = trace.take();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].name, "postinst of dash");
  EXPECT_EQ(spans[1].name, "install");
  EXPECT_EQ(spans[1].kind, SpanKind::stage);
  EXPECT_EQ(spans[1].process, SpanProcess::builder);
  EXPECT_LE(spans[1].begin, spans[0].begin);
  EXPECT_LE(spans[0].begin, spans[0].end);
  EXPECT_LE(spans[0].end, spans[1].end);
  EXPECT_TRUE(trace.take().empty());
}

TEST(TraceTest, NumbersThreadsFromTheMainOne) {
  Trace trace(SpanProcess::outside);
  std::thread([&] { trace.note(SpanKind::work, "there", Trace::now()); }).join();
  trace.note(SpanKind::work, "here", Trace::now());
  std::vector<Span> spans = trace.take();
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].thread, 1U);
  EXPECT_EQ(spans[1].thread, 0U);
}

TEST(TraceTest, SpansCrossProcesses) {
  Span span{SpanKind::hook, SpanProcess::builder, 3, "customize hook 'true'", 5, 8};
  Span back = from_wire<Span>(to_wire(span));
  EXPECT_EQ(back.kind, span.kind);
  EXPECT_EQ(back.process, span.process);
  EXPECT_EQ(back.thread, span.thread);
  EXPECT_EQ(back.name, span.name);
  EXPECT_EQ(back.begin, span.begin);
  EXPECT_EQ(back.end, span.end);
}

}  // namespace
}  // namespace debroot::base
