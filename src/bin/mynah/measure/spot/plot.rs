//! The curves as a picture.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::det::Curve;

const SIZE: (u32, u32) = (800, 600);
/// False alarms per hour. A curve's points below the least are drawn at it.
const SHOWN: std::ops::Range<f64> = 0.1..100.0;

/// Draws the curves as an SVG document: false alarms per hour to the right, on a logarithmic scale,
/// and misses in percent upwards.
///
/// # Errors
///
/// The picture can't be drawn; the reason is that of plotters.
pub fn draw(curves: &[Curve], title: &str) -> Result<String> {
    let mut svg = String::new();
    draw_into(&mut svg, curves, title).map_err(|reason| anyhow!("the plot: {reason}"))?;
    Ok(svg)
}

fn draw_into(
    svg: &mut String,
    curves: &[Curve],
    title: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(20)
        .caption(title, ("sans-serif", 20))
        .x_label_area_size(45)
        .y_label_area_size(55)
        .build_cartesian_2d(SHOWN.log_scale(), 0.0..100.0)?;
    chart
        .configure_mesh()
        .x_desc("false alarms per hour")
        .y_desc("misses in %")
        .label_style(("sans-serif", 14))
        .draw()?;
    for (index, curve) in curves.iter().enumerate() {
        let style = Palette99::pick(index).stroke_width(2);
        let points = curve.points.iter().map(|point| {
            let x = point.false_alarms_per_hour.clamp(SHOWN.start, SHOWN.end);
            (x, 100.0 * point.miss_rate)
        });
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(&curve.phrase)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE)
        .border_style(BLACK)
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}

/// Writes the picture to a file.
///
/// # Errors
///
/// It can't be drawn or written.
pub fn write(path: &Path, curves: &[Curve], title: &str) -> Result<()> {
    let svg = draw(curves, title)?;
    std::fs::write(path, svg).map_err(|e| anyhow!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::spot::det::{Counts, THRESHOLDS};

    #[test]
    fn the_picture_names_its_axes_and_curves() {
        let mut counts = Counts::recording(1, &[1; THRESHOLDS], Duration::ZERO);
        counts += &Counts::recording(0, &[0; THRESHOLDS], Duration::from_secs(3600));
        let svg = draw(&[Curve::new("lights <off>".to_owned(), &counts)], "two & two").unwrap();
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
        for text in ["lights &lt;off&gt;", "two &amp; two", "false alarms per hour", "misses in %"]
        {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(svg.contains("<polyline"), "{svg}");
    }
}
