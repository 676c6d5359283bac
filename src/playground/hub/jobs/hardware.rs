//! Flavours of hardware and their prices, as the Hub's catalogues list them: jobs by the minute, Spaces by the hour.

use serde_json::{Value, json};

/// One machine that can be rented.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Flavour {
    pub(in super::super) name: &'static str,
    pretty: &'static str,
    /// `2 vCPU`.
    cpu: u32,
    /// Gigabytes.
    ram: u32,
    /// Model, how many, gigabytes of each.
    gpu: Option<(&'static str, u32, u32)>,
    /// Micro-dollars a minute, as a job.
    pub(in super::super) job_minute: u64,
    /// Micro-dollars an hour, as a Space; `None` where Spaces do not have it.
    space_hour: Option<u64>,
}

type Row = (&'static str, &'static str, u32, u32, Option<(&'static str, u32, u32)>, u64, Option<u64>);

/// Name, what people read, vCPU, GB, accelerator, micro-dollars a minute as a job, an hour as a Space.
const ROWS: &[Row] = &[
    ("cpu-basic", "CPU Basic", 2, 16, None, 167, Some(0)),
    ("cpu-upgrade", "CPU Upgrade", 8, 32, None, 500, Some(30_000)),
    ("cpu-performance", "CPU Performance", 32, 256, None, 8_334, Some(500_000)),
    ("cpu-xl", "CPU XL", 16, 124, None, 16_667, Some(1_000_000)),
    ("t4-small", "Nvidia T4 - small", 4, 15, Some(("T4", 1, 16)), 6_667, Some(400_000)),
    ("t4-medium", "Nvidia T4 - medium", 8, 30, Some(("T4", 1, 16)), 10_000, Some(600_000)),
    ("l4x1", "1x Nvidia L4", 8, 30, Some(("L4", 1, 24)), 13_333, Some(800_000)),
    ("l4x4", "4x Nvidia L4", 48, 186, Some(("L4", 4, 24)), 63_333, Some(3_800_000)),
    ("l40sx1", "1x Nvidia L40S", 8, 62, Some(("L40S", 1, 48)), 30_000, Some(1_800_000)),
    ("l40sx4", "4x Nvidia L40S", 48, 382, Some(("L40S", 4, 48)), 138_333, Some(8_300_000)),
    ("l40sx8", "8x Nvidia L40S", 192, 1534, Some(("L40S", 8, 48)), 391_667, Some(23_500_000)),
    ("a10g-small", "Nvidia A10G - small", 4, 15, Some(("A10G", 1, 24)), 16_667, Some(1_000_000)),
    ("a10g-large", "Nvidia A10G - large", 12, 46, Some(("A10G", 1, 24)), 25_000, Some(1_500_000)),
    ("a10g-largex2", "2x Nvidia A10G - large", 24, 92, Some(("A10G", 2, 24)), 50_000, Some(3_000_000)),
    ("a10g-largex4", "4x Nvidia A10G - large", 48, 184, Some(("A10G", 4, 24)), 83_333, Some(5_000_000)),
    ("a100-large", "Nvidia A100 - large", 12, 142, Some(("A100", 1, 80)), 41_667, Some(2_500_000)),
    ("a100x4", "4x Nvidia A100", 48, 568, Some(("A100", 4, 80)), 166_667, Some(10_000_000)),
    ("a100x8", "8x Nvidia A100", 96, 1136, Some(("A100", 8, 80)), 333_333, Some(20_000_000)),
    ("h200", "1x Nvidia H200", 23, 256, Some(("H200", 1, 141)), 83_333, None),
    ("h200x2", "2x Nvidia H200", 46, 512, Some(("H200", 2, 141)), 166_667, None),
    ("h200x4", "4x Nvidia H200", 92, 1024, Some(("H200", 4, 141)), 333_333, None),
    ("h200x8", "8x Nvidia H200", 184, 2048, Some(("H200", 8, 141)), 666_667, None),
];

pub(in super::super) fn all() -> impl Iterator<Item = Flavour> {
    ROWS.iter().map(|&(name, pretty, cpu, ram, gpu, job_minute, space_hour)| Flavour {
        name,
        pretty,
        cpu,
        ram,
        gpu,
        job_minute,
        space_hour,
    })
}

/// The flavour of this name, for a job.
pub(in super::super) fn job_flavour(name: &str) -> Option<Flavour> {
    all().find(|it| it.name == name)
}

/// The flavour of this name and its micro-dollars an hour, for a Space.
pub(in super::super) fn space_flavour(name: &str) -> Option<(Flavour, u64)> {
    all().find(|it| it.name == name).and_then(|it| Some((it, it.space_hour?)))
}

/// The answer of `GET /api/jobs/hardware`.
pub(in super::super) fn job_catalogue() -> Value {
    all().map(|it| it.entry(it.job_minute, "minute")).collect()
}

/// The answer of `GET /api/spaces/hardware`.
pub(in super::super) fn space_catalogue() -> Value {
    all().filter_map(|it| Some(it.entry(it.space_hour?, "hour"))).collect()
}

impl Flavour {
    fn entry(&self, micros: u64, unit: &str) -> Value {
        let accelerator = self.gpu.map(|(model, quantity, each)| {
            json!({
                "type": "gpu", "model": model, "quantity": quantity.to_string(),
                "vram": format!("{} GB", each * quantity), "manufacturer": "Nvidia",
            })
        });
        let dollars = match micros {
            0 => json!(0),
            _ => json!(micros as f64 / 1e6),
        };
        json!({
            "name": self.name, "prettyName": self.pretty, "cpu": format!("{} vCPU", self.cpu),
            "ram": format!("{} GB", self.ram), "accelerator": accelerator,
            "unitCostMicroUSD": micros, "unitCostUSD": dollars, "unitLabel": unit,
        })
    }

    /// What a job finds in its environment about the machine.
    pub(in super::super) fn environment(&self) -> [(&'static str, String); 3] {
        let accelerator = self.gpu.map_or_else(String::new, |(model, ..)| model.to_lowercase());
        [
            ("ACCELERATOR", accelerator),
            ("CPU_CORES", self.cpu.to_string()),
            ("MEMORY", format!("{}Gi", self.ram)),
        ]
    }

    /// Accelerators, each with its bytes.
    pub(in super::super) fn accelerators(&self) -> Vec<u64> {
        self.gpu.map_or_else(Vec::new, |(_, quantity, each)| {
            vec![u64::from(each) * 1_000_000_000; quantity as usize]
        })
    }

    pub(in super::super) fn memory_bytes(&self) -> u64 {
        u64::from(self.ram) * 1_000_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_has_the_form_that_was_recorded() {
        assert_eq!(
            job_catalogue()[0],
            json!({
                "name": "cpu-basic", "prettyName": "CPU Basic", "cpu": "2 vCPU", "ram": "16 GB", "accelerator": null,
                "unitCostMicroUSD": 167, "unitCostUSD": 0.000_167, "unitLabel": "minute",
            })
        );
        let free = &space_catalogue()[0];
        assert_eq!((&free["unitCostUSD"], &free["unitLabel"]), (&json!(0), &json!("hour")));
        assert!(space_flavour("h200").is_none() && job_flavour("h200").is_some());
        assert!(job_flavour("h100").is_none());
    }
}
