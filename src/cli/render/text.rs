//! Events as text for the person at the terminal.
//!
//! Owns what each event looks like. Answers stream block by block; tools are one line each.

use std::io::Write;

use super::blocks::Blocks;
use super::clean::{clean, line};
use super::look::Look;
use super::paint::Paint;
use super::{Screen, markdown, question, wide};
use crate::protocol::{ApprovalRequest, Decision, Event, PlanItem, PlanStatus, Usage, Verdict};

/// How much is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The first few lines of what a tool gave.
    Brief,
    /// A screenful of it.
    Full,
}

/// A screen that people read.
pub struct TextScreen {
    out: Box<dyn Write + Send>,
    look: Look,
    paint: Paint,
    detail: Detail,
    blocks: Blocks,
    /// The text of the step that was drawn last, to draw no answer twice.
    said: String,
    /// Whether anything of the answer on its way was drawn.
    drew: bool,
}

impl TextScreen {
    /// A screen on this writer.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, look: Look, detail: Detail) -> Self {
        let (blocks, said) = (Blocks::default(), String::new());
        Self { out, look, paint: look.paint, detail, blocks, said, drew: false }
    }

    /// The text on its way that is no complete block yet.
    #[must_use]
    pub fn unfinished(&self) -> &str {
        self.blocks.pending()
    }

    /// The terminal has another width now.
    pub fn resize(&mut self, columns: usize) {
        self.look.width = Look::fitting(columns);
    }

    fn put(&mut self, text: &str) {
        // A reader that went away is no reason to stop working.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn block(&mut self, text: &str) {
        let drawn = markdown::draw(&clean(text), &self.look);
        let end = if drawn.ends_with('\n') { "" } else { "\n" };
        self.drew = true;
        self.put(&format!("{drawn}{end}"));
    }

    fn finish_text(&mut self) {
        if let Some(rest) = self.blocks.finish() {
            self.block(&rest);
        }
        self.drew = false;
    }

    fn dim_line(&mut self, text: &str) {
        self.finish_text();
        let drawn = self.dimmed(&line(text, 400));
        self.put(&format!("{drawn}\n"));
    }

    /// One line of our own words, broken at words where the terminal would break them anywhere.
    fn dimmed(&self, text: &str) -> String {
        if self.paint == Paint::Plain || wide::columns(text) <= self.look.width {
            return self.paint.dim(text);
        }
        let lines = markdown::folded(text, self.look.width);
        lines.iter().map(|text| self.paint.dim(text)).collect::<Vec<_>>().join("\n")
    }

    fn output(&mut self, output: &str, success: bool) {
        self.finish_text();
        let cleaned = clean(output);
        let lines: Vec<&str> = cleaned.lines().filter(|text| !text.trim().is_empty()).collect();
        let most = if self.detail == Detail::Full { 30 } else { 5 };
        // A line that says "1 more line" takes as much room as that line.
        let shown = if lines.len() == most + 1 { most + 1 } else { lines.len().min(most) };
        for text in &lines[..shown] {
            let short = line(text, 160);
            let drawn = if success { self.paint.dim(&short) } else { self.paint.red(&short) };
            self.put(&format!("  {drawn}\n"));
        }
        if lines.len() > shown {
            let more = self.paint.dim(&format!("  … {} more lines", lines.len() - shown));
            self.put(&format!("{more}\n"));
        }
    }

    fn draw_plan(&mut self, plan: &[PlanItem]) {
        self.finish_text();
        let done = plan.iter().filter(|item| item.status == PlanStatus::Completed).count();
        let head = self.paint.bold(&format!("Plan {done}/{}", plan.len()));
        self.put(&format!("{head}\n"));
        for item in plan {
            let drawn = item_line(item, self.paint);
            self.put(&format!("{drawn}\n"));
        }
    }

    fn ending(&mut self, event: &Event) {
        self.finish_text();
        match event {
            Event::TurnComplete { final_response, limit_reached, elapsed_ms, steps, usage, .. } => {
                let answer = final_response.as_deref().unwrap_or_default();
                if !answer.trim().is_empty() && answer.trim() != self.said.trim() {
                    self.block(answer);
                }
                if *limit_reached {
                    let words = self.paint.yellow("The iteration limit was reached.");
                    self.put(&format!("{words}\n"));
                }
                let footer = self.paint.dim(&footer(*elapsed_ms, *steps, usage));
                self.put(&format!("{footer}\n"));
            }
            Event::Interrupted { by, .. } => {
                let by = by.as_deref().map(|name| format!(" by {}", line(name, 60))).unwrap_or_default();
                let words = self.paint.yellow(&format!("Stopped{by}."));
                self.put(&format!("{words}\n"));
            }
            Event::Error { error, hint, .. } => {
                let words = self.paint.red(&format!("Error: {}", clean(error).trim()));
                self.put(&format!("{words}\n"));
                if let Some(hint) = hint {
                    self.put(&format!("{}\n", clean(hint).trim()));
                }
            }
            _ => {}
        }
        self.said.clear();
        self.drew = false;
    }

    fn decided(&mut self, request: &ApprovalRequest, decision: &Decision) {
        let titles = request.calls.iter().map(|call| line(&call.title, 80)).collect::<Vec<_>>().join("; ");
        let words = match decision {
            Decision::Decided { verdict, .. } => match verdict {
                Verdict::Approve => format!("approved: {titles}"),
                Verdict::ApproveForSession => format!("approved for this session: {titles}"),
                Verdict::Edit { .. } => format!("approved with changes: {titles}"),
                Verdict::Reject { reason: Some(reason) } => format!("refused: {titles} ({reason})"),
                Verdict::Reject { reason: None } => format!("refused: {titles}"),
            },
            Decision::Expired { .. } => format!("nobody answered in time: {titles}"),
            Decision::Abandoned { .. } => format!("not run any more: {titles}"),
        };
        self.dim_line(&words);
    }

    fn conversation(&mut self, event: &Event) {
        match event {
            Event::Compacted { old_tokens, new_tokens } => {
                self.dim_line(&format!("Shortened: about {old_tokens} tokens became {new_tokens}."));
            }
            Event::UndoComplete { removed: 0 } => self.dim_line("There is nothing to undo."),
            Event::UndoComplete { removed } => self.dim_line(&format!("Undone: {removed} items dropped.")),
            Event::NewComplete { previous_message_count } => {
                self.dim_line(&format!("A new conversation; {previous_message_count} items dropped."));
            }
            Event::ResumeComplete { restored_count } => {
                self.dim_line(&format!("Going on with {restored_count} items."));
            }
            Event::Status { lines } | Event::Spending { lines } => {
                self.finish_text();
                let wide = lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
                for (label, value) in lines {
                    let label = self.paint.dim(&format!("{:wide$}", line(label, 40)));
                    self.put(&format!("  {label}  {}\n", line(value, 200)));
                }
            }
            Event::Remark { text } | Event::PrivateLine { text, .. } | Event::Ready { message: text, .. } => {
                self.dim_line(text);
            }
            Event::Away { tickets, .. } => {
                for ticket in tickets {
                    let (title, url) = (line(ticket.work.title(), 120), line(ticket.work.url(), 300));
                    self.dim_line(&format!("{title} runs: {url}"));
                }
            }
            Event::Returned { title, success, .. } => {
                let how = if *success { "has ended well" } else { "has failed" };
                self.dim_line(&format!("{} {how}.", line(title, 120)));
            }
            Event::Runs { words, runs } => {
                self.finish_text();
                let drawn = super::runs::draw(words, runs, self.paint);
                self.put(&drawn);
            }
            Event::Forked { place, link } => {
                let link = link.as_deref().map(|link| format!(": {}", line(link, 300))).unwrap_or_default();
                self.dim_line(&format!("Forked. The copy goes on with: {}{link}", line(place, 200)));
            }
            Event::SessionTerminated { reason } => {
                self.finish_text();
                let words = self.paint.red(&format!("This session cannot go on: {}", line(reason, 400)));
                self.put(&format!("{words}\n"));
            }
            _ => {}
        }
    }
}

impl Screen for TextScreen {
    fn event(&mut self, event: &Event) {
        match event {
            Event::AssistantChunk { content } => {
                self.said.push_str(content);
                if let Some(block) = self.blocks.push(content) {
                    self.block(&block);
                }
            }
            Event::AssistantStreamReset {} => {
                self.blocks.reset();
                self.said.clear();
                if self.drew {
                    self.dim_line("(the connection broke; the answer begins again)");
                }
            }
            Event::AssistantMessage { content } => {
                self.said.clone_from(content);
                self.block(content);
            }
            Event::AssistantStreamEnd {} => self.finish_text(),
            Event::ToolCall { tool, title, .. } => {
                self.finish_text();
                self.said.clear();
                let tool = self.paint.cyan(&line(tool, 60));
                self.put(&format!("▸ {tool}  {}\n", line(title, 160)));
            }
            Event::ToolOutput { tool, output, success, .. } if tool != "plan_tool" || !success => {
                self.output(output, *success);
            }
            Event::ToolLog { tool, log, .. } if tool == "system" => self.dim_line(log),
            Event::ToolLog { tool, log, .. } => self.dim_line(&format!("  {tool}: {log}")),
            Event::ToolStateChange { tool, state, .. }
                if matches!(state.as_str(), "cancelled" | "abandoned" | "unknown") =>
            {
                self.dim_line(&format!("  {tool}: {state}"));
            }
            Event::PlanUpdate { plan } => self.draw_plan(plan),
            Event::ApprovalDecided { request, decision } => self.decided(request, decision),
            Event::TurnComplete { .. } | Event::Interrupted { .. } | Event::Error { .. } => {
                self.ending(event)
            }
            Event::ApprovalUpdated(request) => {
                self.finish_text();
                if request.needed > 1 {
                    self.dim_line(&question::agreed(request));
                }
            }
            Event::ApprovalReminder(_) => {
                self.dim_line("The question above still waits for an answer; its time is nearly up.");
            }
            // The question is drawn when it is put, by `question`.
            Event::ApprovalRequired(_) => self.finish_text(),
            other => self.conversation(other),
        }
    }

    fn question(&mut self, request: &ApprovalRequest) {
        self.finish_text();
        let drawn = question::draw(request, self.paint);
        self.put(&drawn);
    }

    fn plan(&mut self, plan: &[PlanItem]) {
        self.draw_plan(plan);
    }

    fn remark(&mut self, text: &str) {
        self.finish_text();
        let drawn: Vec<String> = text.lines().map(|text| self.dimmed(&clean(text))).collect();
        self.put(&format!("{}\n", drawn.join("\n")));
    }

    fn clear(&mut self) {
        if self.paint == Paint::Colour {
            self.put("\u{1b}[2J\u{1b}[H");
        }
    }
}

/// One item of a plan.
#[must_use]
pub fn item_line(item: &PlanItem, paint: Paint) -> String {
    let words = line(&item.content, 200);
    match item.status {
        PlanStatus::Completed => format!("  {} {}", paint.green("✓"), paint.dim(&words)),
        PlanStatus::InProgress => format!("  {} {words}", paint.yellow("▸")),
        PlanStatus::Pending => format!("  ○ {words}"),
    }
}

/// The quiet line below an answer.
#[must_use]
pub fn footer(elapsed_ms: u64, steps: u32, usage: &Usage) -> String {
    let tenths = elapsed_ms / 100;
    let time = match elapsed_ms / 1_000 {
        seconds @ 0..60 => format!("{seconds}.{} s", tenths % 10),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    };
    let step = if steps == 1 { "step" } else { "steps" };
    let mut parts = vec![time, format!("{steps} {step}"), format!("{} tokens", usage.total_tokens())];
    match usage.unpriced {
        0 if usage.cost == 0 => {}
        0 => parts.push(dollars(usage.cost)),
        calls => {
            let calls = crate::text::count(usize::try_from(calls).unwrap_or(usize::MAX), "call");
            parts.push(format!("{} and {calls} of unknown price", dollars(usage.cost)));
        }
    }
    parts.join(" · ")
}

/// Micro-dollars as people write them.
#[must_use]
pub fn dollars(micros: u64) -> String {
    match micros {
        0 => "$0".to_owned(),
        1..10_000 => {
            format!("${}.{:06}", micros / 1_000_000, micros % 1_000_000).trim_end_matches('0').to_owned()
        }
        _ => format!("${}.{:02}", (micros + 5_000) / 1_000_000, (micros + 5_000) % 1_000_000 / 10_000),
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
