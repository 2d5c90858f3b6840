"""The questions of the homework that are answered by a run (Deep Learning, Homework 1, 2021-22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """One question that a job answers.

    ``question`` is its number in the homework, ``prompt`` its text in our words, ``epochs`` what
    the homework asks for (a shorter run is a demonstration, and the document says so), and
    ``body`` the JSON body of ``POST /api/v1/jobs``.
    """

    question: str
    title: str
    prompt: str
    epochs: int
    body: Mapping[str, Any]

    @property
    def is_search(self) -> bool:
        """Whether it selects among configurations, so that its winner may be confirmed."""
        return self.question.startswith("Q4")


TASKS: tuple[Task, ...] = (
    Task(
        "Q2.2a",
        "Linear regression on house prices",
        "Fit a linear regression to the Ames data by stochastic gradient descent with batch size 1 "
        "and learning rate 0.001 for 150 epochs. Show the training and the test error after each "
        "epoch and at the end, and the distance between the weights and the analytic solution. How "
        "does the difference between training and test error evolve, and why?",
        150,
        {"search_space": "q2_linear_regression"},
    ),
    Task(
        "Q2.2b",
        "A network with one hidden layer on house prices",
        "Fit a network with one hidden layer of 150 ReLU units to the same data, by the same "
        "stochastic gradient descent on the squared error, with gradients derived by hand. How "
        "does the difference between training and test error compare with the linear model's?",
        150,
        {"search_space": "q2_neural_regression"},
    ),
    Task(
        "Q3.1a",
        "Multi-class perceptron",
        "Train a multi-class perceptron on Fashion-MNIST for 20 epochs and show its validation and "
        "test accuracy after each epoch.",
        20,
        {"search_space": "q3_perceptron"},
    ),
    Task(
        "Q3.1b",
        "Logistic regression",
        "The same with multinomial logistic regression without regularization, by stochastic "
        "gradient descent with learning rate 0.001.",
        20,
        {"search_space": "q3_logistic_regression"},
    ),
    Task(
        "Q3.2b",
        "Multi-layer perceptron",
        "Train a network with one hidden layer of 200 ReLU units and a softmax output on "
        "Fashion-MNIST with the cross-entropy loss, by stochastic gradient descent with learning "
        "rate 0.001 and back-propagation written by hand, for 20 epochs. Show its validation and "
        "test accuracy.",
        20,
        {"search_space": "q3_mlp"},
    ),
    Task(
        "Q4.1",
        "Logistic regression with automatic differentiation",
        "Train logistic regression with a deep-learning framework, by stochastic gradient descent "
        "with batch size 1 for 20 epochs. Choose the learning rate among 0.001, 0.01 and 0.1 on "
        "the validation data. Report the best configuration, its training loss and validation "
        "accuracy after each epoch, and its final test accuracy.",
        20,
        {"search_space": "q4_logistic_regression"},
    ),
    Task(
        "Q4.2",
        "Feed-forward network with dropout",
        "Train a network with one hidden layer and dropout. Vary the learning rate, the hidden "
        "size, the dropout probability, the activation and the optimizer, one at a time while the "
        "others keep their defaults. Report the best configuration, its training loss and "
        "validation accuracy after each epoch, and its final test accuracy.",
        20,
        {"search_space": "q4_feedforward"},
    ),
    Task(
        "Q4.3",
        "Two and three hidden layers",
        "Train the default configuration of Q4.2 with two and with three hidden layers. Report the "
        "best configuration, its training loss and validation accuracy after each epoch, and its "
        "final test accuracy.",
        20,
        {"search_space": "q4_depth"},
    ),
)
