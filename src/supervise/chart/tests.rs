//! Pictures of trainings, and of what is none.

use super::*;

fn line(name: &str, points: impl IntoIterator<Item = (f32, f32)>) -> Line {
    let points: Vec<(f32, f32)> = points.into_iter().collect();
    let last = points.last().map(|(_, y)| f64::from(*y));
    Line { name: name.to_owned(), points, last }
}

fn training() -> Picture {
    let noise = |step: u16| f32::from(step * 37 % 11) / 60.0;
    Picture {
        title: "smollm2-135m on tulu-3: supervised fine-tuning, run 4".to_owned(),
        axis: "step".to_owned(),
        lines: vec![
            line(
                "loss",
                (0..120_u16).map(|step| {
                    (f32::from(step) * 12.0, 2.6 / (1.0 + f32::from(step) / 25.0) + 0.6 + noise(step))
                }),
            ),
            line(
                "eval_loss",
                (1..7_u16).map(|step| (f32::from(step) * 240.0, 2.1 / f32::from(step).sqrt() + 0.2)),
            ),
            line(
                "eval_accuracy",
                (1..7_u16).map(|step| (f32::from(step) * 240.0, 0.4 + f32::from(step) * 0.07)),
            ),
        ],
    }
}

#[test]
fn a_training_is_a_picture_of_its_size() {
    let png = draw(&training()).unwrap().unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!((&png[16..20], &png[20..24]), (&960_u32.to_be_bytes()[..], &560_u32.to_be_bytes()[..]));
    assert!(png.len() < 120_000, "{} bytes", png.len());
    // The same numbers make the same picture.
    assert_eq!(draw(&training()).unwrap().unwrap(), png);
}

#[test]
fn every_curve_is_seen_in_its_colour() {
    let drawn = tiny_skia::Pixmap::decode_png(&draw(&training()).unwrap().unwrap()).unwrap();
    for Colour(red, green, blue) in &COLOURS[..3] {
        let found =
            drawn.pixels().iter().filter(|it| (it.red(), it.green(), it.blue()) == (*red, *green, *blue));
        assert!(found.count() > 300, "{red} {green} {blue}");
    }
    let Colour(red, green, blue) = COLOURS[3];
    assert!(drawn.pixels().iter().all(|it| (it.red(), it.green(), it.blue()) != (red, green, blue)));
}

#[test]
fn what_is_no_curve_is_no_picture() {
    for points in [vec![], vec![(1.0, 1.0)], vec![(f32::NAN, 1.0), (1.0, f32::INFINITY)]] {
        let picture = Picture { lines: vec![line("loss", points)], ..training() };
        assert_eq!(draw(&picture).unwrap(), None);
    }
}

#[test]
fn odd_numbers_and_names_are_drawn() {
    let long = "長い名前".repeat(200);
    for points in [
        vec![(0.0, 0.0), (0.0, 0.0)],
        vec![(0.0, -1e38), (1e38, 1e38)],
        vec![(5.0, 1e-30), (6.0, 2e-30)],
        vec![(1.0, 7.0), (2.0, 7.0)],
    ] {
        let lines = (0..9).map(|_| line(&long, points.clone())).collect();
        let picture = Picture { title: long.clone(), axis: long.clone(), lines };
        assert!(draw(&picture).unwrap().is_some(), "{points:?}");
    }
}
