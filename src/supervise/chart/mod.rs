//! The curves of a training as a picture that people can read on a phone.
//!
//! Owns [`draw`]: light, 960 by 560, large type in a typeface that comes with the program (`font/`), so that it looks
//! the same on every machine. Never reads the disk, never panics on odd numbers. Slow enough (some ten
//! milliseconds) to belong on a blocking thread.

mod canvas;
mod scale;

use self::canvas::{Align, Canvas, Colour};
use self::scale::Scale;
use super::figures::short;

/// Pixels.
const WIDTH: f32 = 960.0;
const HEIGHT: f32 = 560.0;
/// The area of the curves.
const LEFT: f32 = 110.0;
const RIGHT: f32 = WIDTH - 34.0;
const BOTTOM: f32 = HEIGHT - 84.0;
/// Sizes of type.
const TITLE: f32 = 32.0;
const TEXT: f32 = 25.0;
/// Curves at most: more cannot be told apart.
pub const CURVES: usize = 4;

/// Told apart by everybody, in colour and in lightness (Okabe and Ito).
const COLOURS: [Colour; CURVES] =
    [Colour(0, 114, 178), Colour(213, 94, 0), Colour(0, 158, 115), Colour(148, 82, 156)];
const INK: Colour = Colour(33, 37, 41);
const FAINT: Colour = Colour(222, 226, 230);
const SOFT: Colour = Colour(90, 98, 104);

/// What to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Above it.
    pub title: String,
    /// Under the horizontal axis: `step` for example.
    pub axis: String,
    /// The curves, the most important first; those beyond [`CURVES`] are left out.
    pub lines: Vec<Line>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its name, for the legend.
    pub name: String,
    /// Its points from left to right; those that are not finite are left out.
    pub points: Vec<(f32, f32)>,
    /// The last value, for the legend.
    pub last: Option<f64>,
}

/// Draws it; a PNG. `None` if there are not two points to draw a line between.
///
/// # Errors
/// If the picture could not be made, which means a fault of ours.
pub fn draw(picture: &Picture) -> anyhow::Result<Option<Vec<u8>>> {
    let lines: Vec<Line> = picture
        .lines
        .iter()
        .map(|line| Line { points: finite(&line.points), ..line.clone() })
        .filter(|line| !line.points.is_empty())
        .take(CURVES)
        .collect();
    let points: Vec<(f32, f32)> = lines.iter().flat_map(|line| line.points.iter().copied()).collect();
    let (Some(x), Some(y)) =
        (Scale::around(points.iter().map(|it| it.0)), Scale::of_values(points.iter().map(|it| it.1)))
    else {
        return Ok(None);
    };
    if lines.iter().all(|line| line.points.len() < 2) {
        return Ok(None);
    }
    let mut canvas = Canvas::new(WIDTH, HEIGHT)?;
    canvas.text(&fitted(&canvas, &picture.title, TITLE, WIDTH - 68.0), (34.0, 48.0), TITLE, INK, Align::Left);
    let legend = legend_rows(&canvas, &lines);
    let top = 74.0 + 38.0 * rows_of(&legend);
    for (line, (at, row)) in lines.iter().zip(&legend) {
        let baseline = 88.0 + 38.0 * row;
        let colour = colour_of(&lines, line);
        canvas.stroke(&[(*at, baseline - 9.0), (at + 30.0, baseline - 9.0)], 6.0, colour);
        canvas.text(&label(line), (at + 40.0, baseline), TEXT, INK, Align::Left);
    }
    let place = |(px, py): (f32, f32)| (x.at(px, LEFT, RIGHT), y.at(py, BOTTOM, top));
    for value in y.ticks() {
        let (_, at) = place((0.0, value));
        canvas.stroke(&[(LEFT, at), (RIGHT, at)], 1.5, FAINT);
        canvas.text(&short(f64::from(value)), (LEFT - 14.0, at + 9.0), TEXT, SOFT, Align::Right);
    }
    for value in x.ticks() {
        let (at, _) = place((value, 0.0));
        canvas.stroke(&[(at, BOTTOM), (at, BOTTOM + 8.0)], 2.0, SOFT);
        canvas.text(&amount(value), (at, BOTTOM + 36.0), TEXT, SOFT, Align::Centre);
    }
    canvas.stroke(&[(LEFT, BOTTOM), (RIGHT, BOTTOM)], 2.0, SOFT);
    canvas.text(&picture.axis, ((LEFT + RIGHT) / 2.0, HEIGHT - 16.0), TEXT, SOFT, Align::Centre);
    // The most important one lies on top.
    for line in lines.iter().rev() {
        let drawn: Vec<(f32, f32)> = line.points.iter().map(|point| place(*point)).collect();
        let colour = colour_of(&lines, line);
        canvas.stroke(&drawn, 4.0, colour);
        // Few values are shown one by one.
        let dots = if drawn.len() <= 12 { drawn.as_slice() } else { &drawn[drawn.len() - 1..] };
        dots.iter().for_each(|dot| canvas.dot(*dot, 6.5, colour));
    }
    canvas.png().map(Some)
}

fn finite(points: &[(f32, f32)]) -> Vec<(f32, f32)> {
    points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
}

fn colour_of(lines: &[Line], line: &Line) -> Colour {
    let at = lines.iter().position(|other| std::ptr::eq(other, line)).unwrap_or_default();
    COLOURS[at % COLOURS.len()]
}

fn label(line: &Line) -> String {
    let name = crate::text::cut(&line.name, 26);
    line.last.map_or_else(|| name.clone().into_owned(), |last| format!("{name} {}", short(last)))
}

/// Where each entry of the legend begins, and in which row.
fn legend_rows(canvas: &Canvas, lines: &[Line]) -> Vec<(f32, f32)> {
    let (mut at, mut row) = (34.0, 0.0);
    lines
        .iter()
        .map(|line| {
            let width = 40.0 + canvas.width(&label(line), TEXT);
            if at + width > WIDTH - 20.0 && at > 34.0 {
                (at, row) = (34.0, row + 1.0);
            }
            let place = (at, row);
            at += width + 36.0;
            place
        })
        .collect()
}

fn rows_of(legend: &[(f32, f32)]) -> f32 {
    legend.last().map_or(0.0, |(_, row)| row + 1.0)
}

/// As much of the text as fits into the width.
fn fitted(canvas: &Canvas, text: &str, size: f32, width: f32) -> String {
    let mut max = text.chars().count();
    let mut cut = text.to_owned();
    while max > 1 && canvas.width(&cut, size) > width {
        max -= 1;
        cut = crate::text::cut(text, max).into_owned();
    }
    cut
}

/// Steps are whole, and read better as `20k`.
fn amount(value: f32) -> String {
    let value = f64::from(value);
    if value.abs() >= 10_000.0 && value.abs() < 1e6 {
        return format!("{}k", short(value / 1e3));
    }
    if value.abs() >= 1e6 && value.abs() < 1e9 {
        return format!("{}M", short(value / 1e6));
    }
    short(value)
}

#[cfg(test)]
mod tests;
