package evaluate

import "github.com/plimsoll/plimsoll/collector/availability"

func table(figures []availability.Figures) string { _ = figures; return "" }
