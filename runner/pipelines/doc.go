// Package pipelines is tests only: what `compile` emits, carried out by programs that run a platform's pipelines without the platform, against what one deploy gives.
package pipelines
