//! Blocks, in as many messages as Slack's limits ask for.

use super::super::limits::of_slack;
use super::block::{Block, Text};
use super::escape::escaped;
use super::{Attachment, SlackMessage};

/// How many messages one notice may take: what is beyond is counted, not sent.
const MOST: usize = 6;

/// Kept free on each page for the line that says which page it is, or what is left out.
const RESERVE: usize = 500;

/// A message under construction.
pub(super) struct Draft {
    /// The first line, for each further page and for the notification.
    pub(super) headline: String,
    /// For services that show no blocks.
    pub(super) text: String,
    /// What is always on the first page, above the bar.
    pub(super) top: Vec<Block>,
    /// What stands beside the bar, in this order.
    pub(super) details: Vec<Block>,
    /// The bar's colour.
    pub(super) color: &'static str,
}

impl Draft {
    /// The message, and what did not fit into it as replies.
    pub(super) fn pages(self) -> Vec<SlackMessage> {
        let Self { headline, text, top, details, color } = self;
        let (mut pages, left_out) = fill(&top, details);
        if left_out > 0
            && let Some(last) = pages.last_mut()
        {
            last.push(small(&format!("{left_out} more blocks are left out of this message.")));
        }
        let count = pages.len();
        let mut messages = Vec::with_capacity(count);
        for (number, blocks) in pages.into_iter().enumerate() {
            let attachments = Attachment::around(color, blocks);
            let message = if number == 0 {
                SlackMessage::new(text.clone(), top.clone(), attachments)
            } else {
                let line = format!("{} of {count}: {}", number + 1, escaped(&headline, 300));
                SlackMessage::new(line.clone(), vec![small(&line)], attachments)
            };
            messages.push(message);
        }
        messages
    }

    /// One message only, which says what did not fit.
    pub(super) fn single(self) -> SlackMessage {
        let Self { text, top, details, color, .. } = self;
        let all = details.len();
        let (pages, _) = fill(&top, details);
        let mut blocks = pages.into_iter().next().unwrap_or_default();
        let missing = all - blocks.len();
        if missing > 0 {
            blocks.push(small(&format!("{missing} more blocks are in the thread.")));
        }
        SlackMessage::new(text, top, Attachment::around(color, blocks))
    }
}

/// Details by page, and how many blocks are beyond the last page.
fn fill(top: &[Block], details: Vec<Block>) -> (Vec<Vec<Block>>, usize) {
    let room = of_slack::TOTAL - RESERVE;
    let mut pages = vec![Vec::new()];
    let mut characters: usize = top.iter().map(Block::characters).sum();
    // One for the line that says what is left out.
    let mut blocks = top.len() + 1;
    let mut left_out = 0;
    for block in details {
        let length = block.characters();
        let is_full = characters + length > room || blocks + 1 > of_slack::BLOCKS;
        if left_out > 0 || (is_full && pages.len() == MOST) {
            left_out += 1;
            continue;
        }
        if is_full {
            pages.push(Vec::new());
            // The line that says which page it is.
            characters = 0;
            blocks = 2;
        }
        characters += length;
        blocks += 1;
        if let Some(page) = pages.last_mut() {
            page.push(block);
        }
    }
    (pages, left_out)
}

fn small(text: &str) -> Block {
    Block::Context { elements: vec![Text::formatted(text.to_owned())] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(details: usize, length: usize) -> Draft {
        let section = |length: usize| Block::Section { text: Text::formatted("x".repeat(length)) };
        Draft {
            headline: "CRITICAL <a>".to_owned(),
            text: "text".to_owned(),
            top: vec![section(2_000)],
            details: (0..details).map(|_| section(length)).collect(),
            color: "#000000",
        }
    }

    fn blocks_of(message: &SlackMessage) -> usize {
        message.attachments.iter().map(|attachment| attachment.blocks.len()).sum()
    }

    #[test]
    fn what_fits_is_one_message() {
        let pages = draft(3, 3_000).pages();
        assert_eq!(pages.iter().map(blocks_of).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn what_does_not_fit_goes_into_replies_and_nothing_is_lost() {
        let pages = draft(10, 3_000).pages();
        assert_eq!(pages.iter().map(blocks_of).collect::<Vec<_>>(), [3, 3, 3, 1]);
        assert_eq!(pages[1].text, "2 of 4: CRITICAL &lt;a&gt;");
        let pages = draft(120, 1).pages();
        assert_eq!(pages.iter().map(blocks_of).sum::<usize>(), 120);
    }

    #[test]
    fn what_is_beyond_the_last_page_is_counted() {
        let pages = draft(40, 3_000).pages();
        assert_eq!(pages.len(), MOST);
        // 3 on each of 6 pages, and the line that says so.
        assert_eq!(pages.iter().map(blocks_of).sum::<usize>(), 19);
        let last = serde_json::to_string(pages.last().unwrap()).unwrap();
        assert!(last.contains("22 more blocks are left out of this message."), "{last}");
    }

    #[test]
    fn an_update_is_one_message_that_says_where_the_rest_is() {
        let message = draft(10, 3_000).single();
        let json = serde_json::to_string(&message).unwrap();
        assert!(json.contains("7 more blocks are in the thread."), "{json}");
    }
}
