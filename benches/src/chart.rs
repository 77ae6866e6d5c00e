//! The chart: a bar for each row and rival, whose length is its figure relative to mm's.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::rivals::{OURS, RIVALS};
use crate::workloads::{Row, Table};
use mm_benches_common::columns::short;
use mm_benches_common::figures::Figures;

type Done = Result<(), Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// The size of the picture in pixels.
const WIDTH: u32 = 960;
const BAR: i32 = 7;
const GAP: i32 = 10;
const LEFT: i32 = 160;
/// Space between the names of the rows and the scale, for the figures of cut bars.
const MARGIN: i32 = 40;
const RIGHT: i32 = 890;
const TOP: i32 = 100;
const BOTTOM: i32 = 50;

/// The ends of the scale. A bar that is longer is cut, and its figure is written beside it.
const LEAST: f64 = 0.25;
const MOST: f64 = 16.0;
/// The ratios at which the scale has lines.
const LINES: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];

/// A colour for each rival except mm, which is the line at 1. Colour-blind people can tell them apart.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x33, 0x22, 0x88),
    RGBColor(0x88, 0xcc, 0xee),
    RGBColor(0x11, 0x77, 0x33),
    RGBColor(0xdd, 0xcc, 0x77),
    RGBColor(0xcc, 0x66, 0x77),
    RGBColor(0xaa, 0x44, 0x99),
    RGBColor(0x99, 0x99, 0x99),
];

/// Draws the anchors into a file.
pub(crate) fn draw(to: &Path, figures: &Figures, rows: &[Row], machine: &str) -> Done {
    let rows: Vec<(&Row, Vec<Bar>)> = rows
        .iter()
        .filter(|row| row.table == Table::Anchors)
        .map(|row| (row, bars(figures, row)))
        .filter(|(_, bars)| !bars.is_empty())
        .collect();
    let heights = rows.iter().map(|(_, bars)| height(bars));
    let bottom = TOP + heights.sum::<i32>();
    let size = (WIDTH, u32::try_from(bottom + BOTTOM)?);
    let area = SVGBackend::new(to, size).into_drawing_area();
    // The text is dark, and a page may be dark too, so the background is drawn.
    area.fill(&WHITE)?;
    title(&area, machine)?;
    scale(&area, bottom)?;
    let mut top = TOP;
    for (row, bars) in &rows {
        group(&area, row, bars, top)?;
        top += height(bars);
    }
    vertical(&area, 1.0, bottom, BLACK)?;
    area.present()?;
    Ok(())
}

/// The colour of secondary text, and of lines behind the bars.
const GREY: RGBColor = RGBColor(0x55, 0x55, 0x55);
const PALE: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// The figure of a rival divided by that of mm.
struct Bar {
    ratio: f64,
    colour: RGBColor,
}

fn bars(figures: &Figures, row: &Row) -> Vec<Bar> {
    let rivals = RIVALS.iter().filter(|(rival, _)| *rival != OURS);
    let bar = |((rival, _), colour): (&(&str, _), RGBColor)| {
        let ours = figures.median(row.name, OURS)?;
        let ratio = figures.median(row.name, rival)? / ours;
        Some(Bar { ratio, colour })
    };
    rivals.zip(COLOURS).filter_map(bar).collect()
}

fn height(bars: &[Bar]) -> i32 {
    let bars = i32::try_from(bars.len()).expect("there are seven rivals");
    bars * BAR + GAP
}

/// Returns the pixel of a ratio on a logarithmic scale.
#[expect(
    clippy::cast_possible_truncation,
    reason = "it lies between two pixels"
)]
fn across(ratio: f64) -> i32 {
    let share = (ratio.clamp(LEAST, MOST) / LEAST).ln() / (MOST / LEAST).ln();
    LEFT + (share * f64::from(RIGHT - LEFT)).round() as i32
}

fn font(size: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// Writes the title, the machine, and the legend of colours.
fn title(area: &Area, machine: &str) -> Done {
    let middle = i32::midpoint(LEFT, RIGHT);
    let what = "Time or memory that others need, in multiples of mm's (line at 1)";
    let centre = Pos::new(HPos::Center, VPos::Top);
    area.draw_text(what, &font(18, BLACK).pos(centre), (middle, 12))?;
    area.draw_text(machine, &font(12, GREY).pos(centre), (middle, 38))?;
    let names = RIVALS.iter().filter(|(rival, _)| *rival != OURS);
    for (place, ((rival, _), colour)) in (0..).zip(names.zip(COLOURS)) {
        let left = LEFT + place * (RIGHT - LEFT) / 7;
        let square = [(left, 62), (left + 10, 72)];
        area.draw(&Rectangle::new(square, colour.filled()))?;
        area.draw_text(rival, &font(12, BLACK), (left + 15, 61))?;
    }
    Ok(())
}

/// Draws the lines of the scale with their figures.
fn scale(area: &Area, bottom: i32) -> Done {
    let centre = Pos::new(HPos::Center, VPos::Top);
    for ratio in LINES {
        vertical(area, ratio, bottom, PALE)?;
        let below = (across(ratio), bottom + 8);
        area.draw_text(&format!("{ratio}"), &font(12, GREY).pos(centre), below)?;
    }
    let left = Pos::new(HPos::Left, VPos::Top);
    let right = Pos::new(HPos::Right, VPos::Top);
    let line = bottom + 26;
    area.draw_text("less than mm", &font(12, GREY).pos(left), (LEFT, line))?;
    area.draw_text("more than mm", &font(12, GREY).pos(right), (RIGHT, line))?;
    Ok(())
}

fn vertical(area: &Area, ratio: f64, bottom: i32, colour: RGBColor) -> Done {
    let ends = [(across(ratio), TOP - 8), (across(ratio), bottom)];
    area.draw(&PathElement::new(ends, colour))?;
    Ok(())
}

/// Draws the bars of a row, from the line at 1 to either side.
fn group(area: &Area, row: &Row, bars: &[Bar], top: i32) -> Done {
    let middle = top + (height(bars) - GAP) / 2;
    let style = font(12, BLACK).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw_text(row.name, &style, (LEFT - MARGIN, middle))?;
    for (place, bar) in (0..).zip(bars) {
        draw_bar(area, bar, top + place * BAR)?;
    }
    Ok(())
}

fn draw_bar(area: &Area, bar: &Bar, top: i32) -> Done {
    let corners = [(across(1.0), top), (across(bar.ratio), top + BAR - 1)];
    area.draw(&Rectangle::new(corners, bar.colour.filled()))?;
    if !(LEAST..=MOST).contains(&bar.ratio) {
        let side = if bar.ratio > MOST {
            HPos::Left
        } else {
            HPos::Right
        };
        let space = if bar.ratio > MOST { 4 } else { -4 };
        let style = font(9, BLACK).pos(Pos::new(side, VPos::Center));
        let beside = (across(bar.ratio) + space, top + BAR / 2);
        area.draw_text(&short(bar.ratio), &style, beside)?;
    }
    Ok(())
}
