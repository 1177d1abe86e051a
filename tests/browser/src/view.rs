//! What a page is shown on.

use serde_json::json;
use thirtyfour::{WebDriver, error::WebDriverResult};

/// The size of the page's viewport in CSS pixels, and what its user prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    pub width: u32,
    pub height: u32,
    pub scheme: Scheme,
    pub reduces_motion: bool,
}

/// The value of `prefers-color-scheme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

impl View {
    /// A telephone.
    pub const NARROW: Self = Self { width: 360, height: 800, scheme: Scheme::Light, reduces_motion: false };
    /// A desk.
    pub const WIDE: Self = Self { width: 1440, height: 900, ..Self::NARROW };
    /// Both in both schemes.
    pub const ALL: [Self; 4] = [Self::NARROW, Self::NARROW.dark(), Self::WIDE, Self::WIDE.dark()];

    #[must_use]
    pub const fn dark(self) -> Self {
        Self { scheme: Scheme::Dark, ..self }
    }

    /// Such as `360-dark`, for the names of screenshots.
    pub fn name(self) -> String {
        format!("{}-{}", self.width, self.scheme.name())
    }

    /// Shows the current tab on it. A window of a headless Chromium is never as narrow as a telephone, so its viewport is overridden.
    pub(crate) async fn show(self, driver: &WebDriver) -> WebDriverResult<()> {
        let Self { width, height, .. } = self;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await?;
        let motion = if self.reduces_motion { "reduce" } else { "no-preference" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": self.scheme.name() },
            { "name": "prefers-reduced-motion", "value": motion },
        ]});
        driver.cdp().send_raw("Emulation.setEmulatedMedia", features).await?;
        Ok(())
    }
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
