//! Lines, dots and type on a white ground. The typeface is in `font/`, with its licence.

use anyhow::Context;
use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Roboto Medium (Apache License 2.0, `font/LICENSE`), without the letters of other scripts.
const FONT: &[u8] = include_bytes!("font/Roboto-Medium.ttf");

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub u8, pub u8, pub u8);

/// Where a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// What is drawn on.
pub(super) struct Canvas {
    pixels: Pixmap,
    face: Face<'static>,
}

impl Canvas {
    /// A white one.
    pub(super) fn new(width: f32, height: f32) -> anyhow::Result<Self> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "constants of ours")]
        let mut pixels = Pixmap::new(width as u32, height as u32).context("a picture of no size")?;
        pixels.fill(Color::WHITE);
        Ok(Self { pixels, face: Face::parse(FONT, 0).context("the typeface cannot be read")? })
    }

    /// A line through these points.
    pub(super) fn stroke(&mut self, points: &[(f32, f32)], width: f32, colour: Colour) {
        let mut builder = PathBuilder::new();
        for (at, (x, y)) in points.iter().enumerate() {
            if at == 0 { builder.move_to(*x, *y) } else { builder.line_to(*x, *y) }
        }
        let Some(path) = builder.finish() else { return };
        let stroke =
            Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
    }

    /// A dot with a white edge.
    pub(super) fn dot(&mut self, (x, y): (f32, f32), radius: f32, colour: Colour) {
        for (radius, colour) in [(radius + 2.0, Colour(255, 255, 255)), (radius, colour)] {
            if let Some(path) = PathBuilder::from_circle(x, y, radius) {
                self.fill(&path, colour);
            }
        }
    }

    /// A line of text; `at` is on its baseline.
    pub(super) fn text(&mut self, text: &str, at: (f32, f32), size: f32, colour: Colour, align: Align) {
        let width = self.width(text, size);
        let start = match align {
            Align::Left => at.0,
            Align::Centre => at.0 - width / 2.0,
            Align::Right => at.0 - width,
        };
        let scale = size / f32::from(self.face.units_per_em());
        let mut pen = Pen { builder: PathBuilder::new(), x: start, y: at.1, scale };
        for c in text.chars() {
            let glyph = self.glyph(c);
            self.face.outline_glyph(glyph, &mut pen);
            pen.x += self.advance(glyph) * scale;
        }
        if let Some(path) = pen.builder.finish() {
            self.fill(&path, colour);
        }
    }

    /// How wide a text is.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let units: f32 = text.chars().map(|c| self.advance(self.glyph(c))).sum();
        units * size / f32::from(self.face.units_per_em())
    }

    /// The picture as a file.
    pub(super) fn png(self) -> anyhow::Result<Vec<u8>> {
        self.pixels.encode_png().context("the picture cannot be written")
    }

    fn fill(&mut self, path: &Path, colour: Colour) {
        self.pixels.fill_path(path, &paint(colour), FillRule::Winding, Transform::identity(), None);
    }

    /// The letter's shape; a question mark for letters that the typeface has not.
    fn glyph(&self, c: char) -> GlyphId {
        self.face.glyph_index(c).or_else(|| self.face.glyph_index('?')).unwrap_or_default()
    }

    fn advance(&self, glyph: GlyphId) -> f32 {
        self.face.glyph_hor_advance(glyph).map_or(0.0, f32::from)
    }
}

fn paint(Colour(red, green, blue): Colour) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 255);
    paint.anti_alias = true;
    paint
}

/// Draws the outline of letters at a place; letters grow upwards, pictures downwards.
struct Pen {
    builder: PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.builder.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}
