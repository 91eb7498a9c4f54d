//! Where panels stand: 24 columns, as both Grafana and CloudWatch have them.

use super::board::Row;

/// The columns of a dashboard.
pub const COLUMNS: u32 = 24;

/// Where something stands and how much it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Columns from the left.
    pub x: u32,
    /// Rows from the top.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Place {
    /// Whether the two share a cell.
    pub fn overlaps(self, other: Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// The places of a row's heading, which takes `heading` rows of the grid, and of its panels; and
/// the first row of the grid below them.
pub fn places(row: &Row, top: u32, heading: u32) -> (Place, Vec<Place>, u32) {
    let title = Place { x: 0, y: top, width: COLUMNS, height: heading };
    let (mut x, mut y, mut tallest) = (0, top + heading, 0);
    let mut panels = Vec::new();
    for panel in &row.panels {
        let (width, height) = (panel.width.min(COLUMNS), panel.view.height());
        if x + width > COLUMNS {
            (x, y, tallest) = (0, y + tallest, 0);
        }
        panels.push(Place { x, y, width, height });
        x += width;
        tallest = tallest.max(height);
    }
    (title, panels, y + tallest)
}
